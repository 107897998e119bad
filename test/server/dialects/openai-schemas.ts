/** The published shapes of OpenAI's answers, as ajv validators that say what is wrong. */
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });

export type ShapeName =
  | "create-chat-completion-response"
  | "create-chat-completion-stream-response"
  | "list-models-response"
  | "error-response";

/** What is wrong with `value`; empty when it has the shape. */
export function problemsWith(shape: ShapeName, value: unknown): string[] {
  const validate = ajv.getSchema(shape) ?? compile(shape);
  if (validate(value)) return [];
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}

function compile(shape: ShapeName) {
  const file = new URL(`../../fixtures/openai/${shape}.json`, import.meta.url);
  ajv.addSchema(JSON.parse(readFileSync(file, "utf8")), shape);
  const validate = ajv.getSchema(shape);
  if (validate === undefined) throw new Error(`no schema ${shape}`);
  return validate;
}
