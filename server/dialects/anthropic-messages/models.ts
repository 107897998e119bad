/** The models this box serves, as Anthropic lists them. Pure. */
import type { ServedModel } from "../../domain/model.ts";

function wireModel(model: ServedModel): object {
  return {
    type: "model",
    id: model.alias,
    display_name: model.alias,
    created_at: new Date(model.createdAtMs).toISOString(),
    // Prompt and answer share it.
    max_input_tokens: model.contextLength === 0 ? null : model.contextLength,
    max_tokens: model.contextLength === 0 ? null : model.contextLength,
  };
}

export function encodeModel(model: ServedModel): string {
  return JSON.stringify(wireModel(model));
}

/** One page holds them all. */
export function encodeModels(models: readonly ServedModel[]): string {
  return JSON.stringify({
    data: models.map(wireModel),
    has_more: false,
    first_id: models[0]?.alias ?? null,
    last_id: models.at(-1)?.alias ?? null,
  });
}
