/** The models this box serves, as OpenAI lists them, with what an agent needs to plan its context. Pure. */
import type { ServedModel } from "../../domain/model.ts";

function wireModel(model: ServedModel): object {
  return {
    id: model.alias,
    object: "model",
    created: Math.floor(model.createdAtMs / 1000),
    owned_by: "lanthorn",
    // Nobody here knows it: an agent would take 0 for a model that reads nothing.
    ...(model.contextLength === 0 ? {} : { context_length: model.contextLength }),
    slots: model.slots,
    capabilities: model.capabilities,
    ...(model.embeddingLength === null ? {} : { embedding_length: model.embeddingLength }),
    demo: model.demo,
  };
}

export function encodeModel(model: ServedModel): string {
  return JSON.stringify(wireModel(model));
}

export function encodeModels(models: readonly ServedModel[]): string {
  return JSON.stringify({ object: "list", data: models.map(wireModel) });
}
