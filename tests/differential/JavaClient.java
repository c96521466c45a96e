import java.io.ByteArrayInputStream;
import java.io.PrintStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * Judges each case as a JDBC driver with endpoint identification does, by handshakes.
 *
 * java JavaClient.java FOLDER PORT
 *
 * Prints a line for each case: its number, and "java=ok" or "java=no reason".
 */
public class JavaClient {
    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        int port = Integer.parseInt(arguments[1]);
        PrintStream output = new PrintStream(System.out, true);
        for (String line : Files.readAllLines(folder.resolve("cases.tsv"))) {
            String[] fields = line.split("\t");
            output.println(fields[0] + "\tjava=" + verdict(folder, fields[0], fields[2], port));
        }
    }

    private static String verdict(Path folder, String number, String host, int port) {
        try (Socket plain = new Socket("127.0.0.1", port)) {
            SSLContext context = trusting(folder.resolve(number + ".anchors.pem"));
            plain.setSoTimeout(20_000);
            plain.getOutputStream().write((number + "\n").getBytes());
            SSLSocket tls = (SSLSocket) context.getSocketFactory().createSocket(plain, host, port, true);
            SSLParameters parameters = tls.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            tls.setSSLParameters(parameters);
            tls.startHandshake();
            tls.getInputStream().read();
            return "ok";
        } catch (Exception error) {
            StringBuilder text = new StringBuilder("no");
            for (Throwable each = error; each != null; each = each.getCause()) {
                text.append(' ').append(each.getClass().getSimpleName()).append(' ').append(each.getMessage());
            }
            return text.toString().replace('\n', ' ').replace('\t', ' ');
        }
    }

    private static SSLContext trusting(Path anchors) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        String end = "-----END CERTIFICATE-----\n";
        int number = 0;
        for (String pem : Files.readString(anchors).split(end)) {
            try {
                Certificate each = factory.generateCertificate(new ByteArrayInputStream((pem + end).getBytes()));
                store.setCertificateEntry("ca" + number++, each);
            } catch (CertificateException unreadable) {
                // keytool would not have imported it.
            }
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }
}
