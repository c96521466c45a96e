import java.io.ByteArrayInputStream;
import java.io.PrintStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * Judges each case as a JDBC driver with endpoint identification does, by handshakes.
 *
 * java JavaClient.java FOLDER PORT RAW_PORT
 *
 * Prints a line for each case: its number, and "java=ok" or "java=no reason".
 */
public class JavaClient {
    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        int port = Integer.parseInt(arguments[1]);
        int rawPort = Integer.parseInt(arguments[2]);
        PrintStream output = new PrintStream(System.out, true);
        for (String line : Files.readAllLines(folder.resolve("cases.tsv"))) {
            String[] fields = line.split("\t", -1);
            int server = fields[4].equals("raw") ? rawPort : port;
            String verdict = verdict(folder, fields[0], fields[2], server);
            // Java tries anchors of one name in an order that changes from run to run.
            for (int more = 0; more < tries(folder.resolve(fields[0] + ".anchors.pem")) && verdict.equals("ok"); more++) {
                verdict = verdict(folder, fields[0], fields[2], server);
            }
            output.println(fields[0] + "\tjava=" + verdict);
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

    /** Returns how often to judge again: not at all, unless two anchors have one name. */
    private static int tries(Path anchors) throws Exception {
        Set<Object> names = new HashSet<>();
        List<X509Certificate> trusted = readable(anchors);
        trusted.forEach(each -> names.add(each.getSubjectX500Principal()));
        return names.size() < trusted.size() ? 8 : 0;
    }

    private static SSLContext trusting(Path anchors) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        for (X509Certificate each : readable(anchors)) {
            store.setCertificateEntry("ca" + store.size(), each);
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }
    private static List<X509Certificate> readable(Path anchors) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        String end = "-----END CERTIFICATE-----\n";
        List<X509Certificate> all = new ArrayList<>();
        for (String pem : Files.readString(anchors).split(end)) {
            try {
                byte[] text = (pem + end).getBytes();
                all.add((X509Certificate) factory.generateCertificate(new ByteArrayInputStream(text)));
            } catch (CertificateException unreadable) {
                // keytool would not have imported it.
            }
        }
        return all;
    }
}
