/** Qwen3-Coder and others who write one tag per parameter. A forced call is plain JSON: their own form has no grammar of ours. */
import { plainCallForm } from "../../grammar/tool-call.ts";
import type { ReplyFamily } from "../family.ts";
import { hermes } from "./hermes.ts";

export const qwen3Coder: ReplyFamily = {
  ...hermes,
  forced: plainCallForm,
};
