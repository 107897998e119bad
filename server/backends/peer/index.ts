/** Programs and boxes of the owner that serve models, by id. Adding one is a file and a line here. */
import type { Provider } from "../cloud/provider.ts";
import { lanthorn } from "./lanthorn.ts";
import { llamaServer } from "./llama-server.ts";
import { lmstudio } from "./lmstudio.ts";
import { localai } from "./localai.ts";
import { ollama } from "./ollama.ts";
import { tgi } from "./tgi.ts";
import { vllm } from "./vllm.ts";

export const peers = Object.freeze({
  lanthorn,
  vllm,
  ollama,
  lmstudio,
  "llama-server": llamaServer,
  localai,
  tgi,
}) satisfies Readonly<Record<string, Provider>>;
