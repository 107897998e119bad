/** Writes the lamp's five files beside the built page, and serves them while developing. Runs in Node at build time only. */
import type { Plugin } from "vite";
import { lampFile, lampStates, lampSvg } from "./lamp.ts";

export function lampFiles(): Plugin {
  return {
    name: "lanthorn-lamp-files",
    generateBundle() {
      for (const state of lampStates) {
        this.emitFile({ type: "asset", fileName: lampFile(state).slice(1), source: lampSvg(state) });
      }
    },
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const state = lampStates.find((each) => lampFile(each) === request.url);
        if (state === undefined) return next();
        response.setHeader("content-type", "image/svg+xml");
        response.end(lampSvg(state));
      });
    },
  };
}
