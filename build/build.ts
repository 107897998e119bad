/** `npm run build`: compiles the server into dist/ and builds the web page into dist/renderer/, each where it is not fresh. */
import { prepare } from "./prepare.js";

await prepare("server", "renderer");
console.log("dist/ is up to date.");
