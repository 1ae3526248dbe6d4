// SPDX-License-Identifier: Apache-2.0
import com.sun.net.httpserver.HttpServer;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.concurrent.Executors;

class Server {
	static byte[] answer(String path) throws Exception {
		if (path.equals("/file"))
			return Files.readAllBytes(Path.of("/etc/passwd"));
		if (path.equals("/digest"))
			return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(new byte[1000])).getBytes();
		if (path.equals("/write")) {
			Path made = Files.createTempFile("written", null);
			Files.writeString(made, "x");
			Files.delete(made);
			return "ok".getBytes();
		}
		return "hello\n".getBytes();
	}

	public static void main(String[] args) throws Exception {
		HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 8000), 0);
		server.setExecutor(Executors.newFixedThreadPool(4));
		server.createContext("/", exchange -> {
			try {
				byte[] text = answer(exchange.getRequestURI().getPath());
				exchange.sendResponseHeaders(200, text.length);
				try (OutputStream out = exchange.getResponseBody()) {
					out.write(text);
				}
			} catch (Exception e) {
				exchange.sendResponseHeaders(500, -1);
			}
		});
		server.start();
	}
}
