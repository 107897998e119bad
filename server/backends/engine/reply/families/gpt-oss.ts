/** gpt-oss: everything in channels. One call per answer, as the model was trained: `<|call|>` ends the generation. */
import type { ReplyFamily } from "../family.ts";
import { harmony, harmonyMarkers } from "../harmony.ts";

export const gptOss: ReplyFamily = {
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
