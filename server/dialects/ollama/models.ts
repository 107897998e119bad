/**
 * The models of this box in Ollama's words: `/api/tags`, `/api/show` and `/api/ps`. Pure; imports the domain only. Names are as
 * configured, without `:latest`: Codex compares them letter by letter.
 */
import type { ModelView, ServedModel } from "../../domain/model.ts";

/** What Ollama's clients look for, by what a model can do. */
function wireCapabilities({ capabilities, details, features }: ServedModel): readonly string[] {
  // Who said nothing (an alias over several places) takes tools, or refuses them by name.
  const tools = details?.tools ?? features?.includes("tools") ?? true;
  return [
    ...(capabilities.includes("embeddings") ? ["embedding"] : []),
    ...(capabilities.includes("chat") ? ["completion"] : []),
    ...(capabilities.includes("chat") && tools ? ["tools"] : []),
    ...(details?.thinking === true ? ["thinking"] : []),
    ...(features?.includes("images") === true ? ["vision"] : []),
  ];
}

function wireDetails({ details, fileName }: ServedModel): object {
  const family = details?.architecture ?? "";
  return {
    parent_model: "",
    format: fileName === "" ? "" : "gguf",
    family,
    families: family === "" ? [] : [family],
    parameter_size: "",
    quantization_level: details?.quantization ?? "",
  };
}

/** What a model of another place is there. */
function remote({ elsewhere }: ServedModel): object {
  return elsewhere === undefined ? {} : { remote_model: elsewhere.model, remote_host: elsewhere.provider };
}

function wireModel(model: ServedModel): object {
  return {
    name: model.alias,
    model: model.alias,
    ...remote(model),
    modified_at: new Date(model.createdAtMs).toISOString(),
    size: model.sizeBytes,
    digest: digestOf(model),
    details: wireDetails(model),
    capabilities: wireCapabilities(model),
  };
}

/** `/api/tags` */
export function encodeModels(models: readonly ServedModel[]): string {
  return JSON.stringify({ models: models.map(wireModel) });
}

/** `/api/show`. The context is what one request may have here, not what the file could have: clients plan with it. */
export function encodeModel(model: ServedModel): string {
  const architecture = model.details?.architecture ?? "unknown";
  const context = model.contextLength === 0 ? {} : { [`${architecture}.context_length`]: model.contextLength };
  const embedding =
    model.embeddingLength === null ? {} : { [`${architecture}.embedding_length`]: model.embeddingLength };
  return JSON.stringify({
    license: "",
    modelfile: "",
    parameters: model.contextLength === 0 ? "" : `num_ctx ${model.contextLength}`,
    // Ollama's own template language; the file's is Jinja.
    template: "",
    ...remote(model),
    details: wireDetails(model),
    model_info: {
      "general.architecture": architecture,
      "general.basename": model.alias,
      ...context,
      ...embedding,
    },
    capabilities: wireCapabilities(model),
    modified_at: new Date(model.createdAtMs).toISOString(),
  });
}

/** Far away, for what does not leave memory by itself: Ollama's clients want a time. */
const never = "2318-01-01T00:00:00.000Z";

/**
 * `/api/ps`: those in memory. `onCpu`: nothing here computes on a GPU; otherwise how much of a model lies in its memory is not
 * known here, and all of it is said to.
 */
export function encodeLoaded(models: readonly ServedModel[], views: readonly ModelView[], onCpu: boolean): string {
  const loaded = views.filter(({ workerPid, state }) => workerPid !== null && state === "ready");
  const wire = loaded.flatMap((view) => {
    const model = models.find(({ alias }) => alias === view.id);
    if (model === undefined) return [];
    const expires = view.until === null ? never : new Date(view.until).toISOString();
    return [
      {
        ...wireModel(model),
        expires_at: expires,
        size_vram: onCpu ? 0 : model.sizeBytes,
        context_length: view.contextLength,
      },
    ];
  });
  return JSON.stringify({ models: wire });
}

/**
 * 64 hexadecimal digits, as clients expect them. They name the file by name, size and time, so that they change when it does;
 * they are no hash of its bytes.
 */
function digestOf({ alias, fileName, sizeBytes, createdAtMs }: ServedModel): string {
  const text = JSON.stringify([alias, fileName, sizeBytes, createdAtMs]);
  return Array.from({ length: 4 }, (_, seed) => fnv1a(`${seed}${text}`)).join("");
}

/** 16 hexadecimal digits (FNV-1a, 64 bits): tells names apart, proves nothing. */
function fnv1a(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let at = 0; at < text.length; at += 1) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(at))) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, "0");
}
