/** Every client the harness runs, in the order of the table. */
import type { Client } from "../client.ts";
import { aiSdk } from "./ai-sdk.ts";
import { codex } from "./codex.ts";
import { continueCli } from "./continue.ts";
import { langChain } from "./langchain.ts";
import { openAi } from "./openai.ts";
import { opencode } from "./opencode.ts";
import { qwenCode } from "./qwen-code.ts";

export const clients: readonly Client[] = Object.freeze([
  openAi("openai7", "openai7"),
  openAi("openai6", "openai6"),
  aiSdk,
  langChain,
  opencode,
  qwenCode,
  continueCli,
  codex,
]);
