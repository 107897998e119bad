/**
 * How the page is built: `vite build --config renderer/vite.config.ts`. Runs in Node at build time only, never in a browser.
 * What comes out works under a strict content security policy: no inline script, no inline style, nothing from elsewhere.
 */
import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { lampFiles } from "./lamp/lamp-files.ts";

export default defineConfig(({ command }) => {
  // What is built is what people get, also in a shell that has set this to something else.
  if (command === "build") process.env.NODE_ENV = "production";
  return {
    root: fileURLToPath(new URL(".", import.meta.url)),
    // The page is always served from `/` of the box, and asks nothing of its address but the origin.
    base: "/",
    plugins: [react(), tailwindcss(), lampFiles()],
    build: {
      outDir: fileURLToPath(new URL("../dist/renderer", import.meta.url)),
      emptyOutDir: true,
      // Maps would show the sources to everybody on the network (S-38).
      sourcemap: false,
      // A small file written into another as a `data:` address would need a wider policy.
      assetsInlineLimit: 0,
      // The polyfill is an inline script; every browser that runs this page preloads modules by itself.
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
    },
    server: {
      // `npm run dev` shows the page from its sources and asks a running server for everything else.
      proxy: Object.fromEntries(
        ["/v1", "/admin", "/sign-in", "/sign-out", "/health", "/ready", "/version"].map((path) => [
          path,
          { target: "http://127.0.0.1:4747" },
        ]),
      ),
    },
  };
});
