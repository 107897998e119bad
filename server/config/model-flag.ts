/** Reads `--model <file.gguf>[,alias=x,context=n,slots=n,kind=embedding]`. Pure. */
import { Failure } from "../domain/failure.ts";
import { closest } from "./closest.ts";
import { type ModelSetting, modelSetting } from "./schema.ts";
import { wordsFor } from "./words.ts";

const options = ["alias", "context", "slots", "kind"];

function wrong(why: string): Failure {
  return new Failure("cannot_start", "The model cannot be served as written.", {
    why,
    next: ["lanthorn serve --model model.gguf,alias=coder,context=8192,slots=4"],
    param: "models",
  });
}

/** The parts of a `--model` text, not yet judged. Options stand at the end, so a comma inside the file's name does no harm. */
export function modelFieldsOf(text: string): Readonly<Record<string, unknown>> {
  const pieces = text.split(",");
  const fields: Record<string, unknown> = {};
  while (pieces.length > 1) {
    const option = /^([A-Za-z]+)=(.*)$/.exec(pieces[pieces.length - 1] ?? "");
    if (option === null) break;
    const name = option[1] ?? "";
    const value = option[2] ?? "";
    if (!options.includes(name)) {
      const meant = closest(name, options);
      const hint = meant === null ? `Known: ${options.join(", ")}.` : `Did you mean "${meant}"?`;
      throw wrong(`There is no option "${name}". ${hint}`);
    }
    if (name in fields) throw wrong(`"${name}" is given twice.`);
    fields[name] = name !== "alias" && /^\d+$/.test(value) ? Number(value) : value;
    pieces.pop();
  }
  return { ...fields, path: pieces.join(",") };
}

/** Throws Failure `cannot_start`. A relative path stays relative: `loadConfig` makes it absolute. */
export function parseModelFlag(text: string): ModelSetting {
  const parsed = modelSetting.safeParse(modelFieldsOf(text));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  if (issue === undefined) throw wrong("It cannot be understood.");
  throw wrong(`${issue.path[0] === "path" ? "The file name" : issue.path.join(".")} ${wordsFor(issue)}.`);
}
