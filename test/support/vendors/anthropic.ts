/** A stand-in vendor of the Anthropic Messages wire, with `count_tokens`: `node test/support/vendors/anthropic.ts [--port 0] [--script cut]`. */
import { runAlone } from "./alone.ts";

await runAlone("anthropic");
