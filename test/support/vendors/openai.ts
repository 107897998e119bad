/** A stand-in vendor of the OpenAI chat wire: `node test/support/vendors/openai.ts [--port 0] [--script cut]`. */
import { runAlone } from "./alone.ts";

await runAlone("openai");
