import java.io.FileInputStream;
import java.io.InputStream;
import java.net.Socket;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * Connects as a JDBC driver does, with endpoint identification, to one endpoint after the other.
 *
 * java Probe.java CA HOST:PORT...
 *
 * Prints a line for each: "ok" and the TLS version, or "no" and the errors.
 */
public class Probe {
    public static void main(String[] arguments) throws Exception {
        SSLContext context = trusting(arguments[0]);
        for (int i = 1; i < arguments.length; i++) {
            int colon = arguments[i].lastIndexOf(':');
            String host = arguments[i].substring(0, colon);
            int port = Integer.parseInt(arguments[i].substring(colon + 1));
            System.out.println(outcome(context, host, port));
        }
    }

    private static SSLContext trusting(String file) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (InputStream pem = new FileInputStream(file)) {
            int number = 0;
            for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
                store.setCertificateEntry("ca" + number++, each);
            }
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    private static String outcome(SSLContext context, String host, int port) {
        try (Socket plain = new Socket(host, port)) {
            plain.setSoTimeout(20_000);
            SSLSocket tls = (SSLSocket) context.getSocketFactory().createSocket(plain, host, port, true);
            SSLParameters parameters = tls.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            tls.setSSLParameters(parameters);
            tls.startHandshake();
            return "ok " + tls.getSession().getProtocol();
        } catch (Exception error) {
            StringBuilder text = new StringBuilder("no");
            for (Throwable each = error; each != null; each = each.getCause()) {
                text.append(" | ").append(each.getClass().getSimpleName()).append(' ').append(each.getMessage());
            }
            return text.toString().replace('\n', ' ');
        }
    }
}
