/**
 * `npm run dev`: the server from its sources, started again when one changes, and vite's server in front of it, which shows a
 * change of the page without a reload. Options after `--` go to `lanthorn serve`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createServer } from "vite";
import { root } from "./prepare.js";

const port = Number(process.env.LANTHORN_PORT ?? 4747);
const target = `http://127.0.0.1:${port}`;

const server = spawn(
  process.execPath,
  [
    "--watch",
    "--watch-preserve-output",
    "build/lanthorn.js",
    "serve",
    "--port",
    String(port),
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: "inherit" },
);

const page = await createServer({
  root: join(root, "renderer"),
  configFile: join(root, "renderer", "vite.config.ts"),
  server: {
    host: "127.0.0.1",
    // Everything the server answers itself. It refuses foreign origins, so vite's own origin is not passed on.
    proxy: Object.fromEntries(
      ["/v1", "/api", "/admin", "/sign-in", "/sign-out", "/health", "/ready", "/version"].map((path) => [
        path,
        { target, changeOrigin: true, headers: { origin: target } },
      ]),
    ),
  },
});
await page.listen();
page.printUrls();

const stop = (signal: NodeJS.Signals) => server.kill(signal);
process.on("SIGTERM", stop);
// A terminal sends Ctrl-C to the server as well.
process.on("SIGINT", () => {});
const [code] = (await once(server, "exit")) as [number | null];
await page.close();
process.exitCode = code ?? 0;
