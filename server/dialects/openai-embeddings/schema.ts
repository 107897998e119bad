/** The form of an OpenAI embeddings body. Pure. What is not named here does not concern us and is dropped. */
import { z } from "zod";

/** As many as OpenAI takes. */
export const mostInputs = 2_048;

const text = z.string().min(1, "must not be empty");
const token = z.int("must be a token: a whole number of 0 or more").min(0);
const tokens = z.array(token).min(1, "must not be empty");

export const embeddingsBody = z.object({
  model: z.string().min(1),
  input: z.union(
    [
      text,
      tokens,
      z.array(text).min(1, "must not be empty").max(mostInputs, `must hold at most ${mostInputs} inputs`),
      z.array(tokens).min(1, "must not be empty").max(mostInputs, `must hold at most ${mostInputs} inputs`),
    ],
    { error: "must be a text, a list of texts, a list of tokens, or a list of lists of tokens" },
  ),
  encoding_format: z.enum(["float", "base64"]).nullish(),
  dimensions: z.int().min(1).nullish(),
});
export type WireEmbeddingsBody = z.infer<typeof embeddingsBody>;
