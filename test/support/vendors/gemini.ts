/** A stand-in vendor of the Gemini wire; without `alt=sse` it streams a JSON array, as the real one does: `node test/support/vendors/gemini.ts [--port 0] [--script cut]`. */
import { runAlone } from "./alone.ts";

await runAlone("gemini");
