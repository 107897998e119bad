/** A stand-in vendor of OpenAI's Responses wire: `node test/support/vendors/responses.ts [--port 0] [--script cut]`. */
import { runAlone } from "./alone.ts";

await runAlone("responses");
