/** gpt-oss: everything in channels. One call per answer, as the model was trained: `<|call|>` ends the generation. */
import type { ReplyFamily } from "../family.ts";
import { harmony, harmonyMarkers } from "../harmony.ts";

export const gptOss: ReplyFamily = {
  speaks: ({ chatTemplate, architecture }) =>
    chatTemplate === null ? architecture === "gpt-oss" : chatTemplate.includes("<|channel|>"),
  markers: harmonyMarkers,
  thinking: [],
  read: harmony,
  forced: {
    open: "",
    beforeName: "<|channel|>commentary to=functions.",
    beforeArguments: " <|constrain|>json<|message|>",
    end: "",
    between: "",
    close: "",
    mostCalls: 1,
  },
};
