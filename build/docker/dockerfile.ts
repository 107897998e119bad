/**
 * Reads a Dockerfile: instructions with their flags, stages, values put in. Pure. It knows the part of the language that our own file
 * is written in, and throws, with the line, at everything else: what is not understood is never silently taken for harmless.
 */

export interface Instruction {
  /** Counted from 1; of its first line. */
  readonly line: number;
  /** `RUN`, `COPY`, … in capitals. */
  readonly name: string;
  /** `--from=made` is `from` → `made`. */
  readonly flags: Readonly<Record<string, string>>;
  /** What follows the name and its flags, continued lines joined by a space. */
  readonly rest: string;
  /** The exec form, `["a", "b"]`; null: any other form. */
  readonly exec: readonly string[] | null;
}

export interface Stage {
  readonly name: string;
  /** An image, or an earlier stage; values are not put in yet. */
  readonly base: string;
  readonly line: number;
  readonly instructions: readonly Instruction[];
}

export interface Dockerfile {
  /** `ARG` before the first stage: name → default. */
  readonly defaults: Readonly<Record<string, string>>;
  readonly stages: readonly Stage[];
}

const known: ReadonlySet<string> = new Set([
  ...["FROM", "ARG", "ENV", "LABEL", "RUN", "COPY", "ADD", "WORKDIR", "USER", "VOLUME", "EXPOSE"],
  ...["STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"],
]);

/** Throws at what it does not understand, naming the line. */
export function parseDockerfile(text: string): Dockerfile {
  const defaults: Record<string, string> = {};
  const stages: { name: string; base: string; line: number; instructions: Instruction[] }[] = [];
  for (const instruction of instructionsOf(text)) {
    const stage = stages.at(-1);
    if (instruction.name === "FROM") {
      const [, base, name] = /^(\S+)(?:\s+AS\s+([a-z][a-z0-9_.-]*))?$/i.exec(instruction.rest) ?? [];
      if (base === undefined) throw problem(instruction.line, `FROM ${instruction.rest}`);
      if (stages.some((other) => other.name === name)) throw problem(instruction.line, `a second stage ${name}`);
      stages.push({ name: name ?? String(stages.length), base, line: instruction.line, instructions: [] });
    } else if (stage !== undefined) {
      stage.instructions.push(instruction);
    } else if (instruction.name === "ARG") {
      Object.assign(defaults, assignmentsOf(instruction));
    } else {
      throw problem(instruction.line, `${instruction.name} before the first FROM`);
    }
  }
  return { defaults, stages };
}

function instructionsOf(text: string): readonly Instruction[] {
  const found: Instruction[] = [];
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index++) {
    const line = index + 1;
    let joined = lines[index]?.trim() ?? "";
    if (joined === "" || joined.startsWith("#")) continue;
    while (joined.endsWith("\\")) {
      const next = lines[++index]?.trim() ?? "";
      // Docker leaves out comments between continued lines, and so do we.
      if (!next.startsWith("#")) joined = `${joined.slice(0, -1).trimEnd()} ${next}`;
    }
    found.push(instructionOf(line, joined));
  }
  return found;
}

function instructionOf(line: number, text: string): Instruction {
  const [, name = "", after = ""] = /^([A-Za-z]+)\s+(.*)$/.exec(text) ?? [];
  const upper = name.toUpperCase();
  if (!known.has(upper)) throw problem(line, text);
  if (/<<-?\s*["']?\w/.test(after)) throw problem(line, "a here-document");
  const flags: Record<string, string> = {};
  let rest = after.trim();
  for (let flag = readFlag(rest); flag !== null; flag = readFlag(rest)) {
    flags[flag.name] = flag.value;
    rest = flag.rest;
  }
  return { line, name: upper, flags, rest, exec: execForm(line, rest) };
}

function readFlag(text: string): { name: string; value: string; rest: string } | null {
  const [, name, value = "", rest = ""] = /^--([a-z-]+)(?:=(\S+))?\s+(.*)$/.exec(text) ?? [];
  return name === undefined ? null : { name, value, rest };
}

function execForm(line: number, text: string): readonly string[] | null {
  if (!text.startsWith("[")) return null;
  try {
    const words: unknown = JSON.parse(text);
    if (Array.isArray(words) && words.every((word) => typeof word === "string")) return words;
  } catch {
    // Docker takes such a line for a shell command, which nobody ever meant.
  }
  throw problem(line, `an exec form that is no JSON: ${text}`);
}

/** `A=1 B="two words"` of ENV, ARG and LABEL; a bare name has the value "". */
export function assignmentsOf({ line, rest }: Instruction): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  let left = rest;
  while (left !== "") {
    const [whole, name, quoted, plain = ""] =
      /^([\w.-]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s"']*)))?(?:\s+|$)/.exec(left) ?? [];
    if (whole === undefined || name === undefined) throw problem(line, left);
    found[name] = quoted ?? plain;
    left = left.slice(whole.length);
  }
  return found;
}

/** Puts values in for `$NAME` and `${NAME}`; a name without a value stands for nothing, as in Docker. */
export function expand(text: string, values: Readonly<Record<string, string>>): string {
  if (/\$\{[^}]*[^\w}][^}]*\}/.test(text)) throw new Error(`Not understood: ${text}`);
  return text.replace(
    /\$(?:\{(\w+)\}|(\w+))/g,
    (_, braced?: string, plain?: string) => values[braced ?? plain ?? ""] ?? "",
  );
}

/** The stages that targets are made of, in the order they are written in. Throws for a target that is not there. */
export function stagesFor(
  file: Dockerfile,
  targets: readonly string[],
  values: Readonly<Record<string, string>>,
): readonly Stage[] {
  const needed = new Set<string>();
  const visit = (name: string) => {
    const stage = file.stages.find((one) => one.name === name);
    if (stage === undefined || needed.has(name)) return;
    needed.add(name);
    visit(expand(stage.base, values));
    for (const { flags } of stage.instructions) if (flags.from !== undefined) visit(expand(flags.from, values));
  };
  for (const target of targets) {
    visit(target);
    if (!needed.has(target)) throw new Error(`There is no stage ${target}.`);
  }
  return file.stages.filter((stage) => needed.has(stage.name));
}

function problem(line: number, text: string): Error {
  return new Error(`Line ${line} is not understood: ${text}`);
}
