/**
 * What our Dockerfile must keep to, as data: a rule is a name, a sentence and a check. Pure; `lint.ts` reads the files it is asked about.
 */
import { assignmentsOf, type Dockerfile, type Instruction, type Stage } from "./dockerfile.ts";

/** What a rule may know besides the Dockerfile. */
export interface Surroundings {
  /** Versions that package.json asks for, the product's own under its own name. */
  readonly versions: Readonly<Record<string, string>>;
  /** Whether a path of the checkout exists and is sent to the builder. */
  readonly has: (path: string) => boolean;
  /** The text of a file of the checkout; "" where there is none. */
  readonly read: (path: string) => string;
}

export interface Finding {
  readonly line: number;
  readonly rule: string;
  readonly message: string;
}

type Flaw = readonly [line: number, message: string];

interface Rule {
  readonly name: string;
  /** For people: what holds, and why. */
  readonly says: string;
  readonly check: (file: Dockerfile, around: Surroundings) => readonly Flaw[];
}

/** Targets that begin as root, each with the program that gives root up: the rule looks into that program. */
const beginsAsRoot: Readonly<Record<string, string>> = { rental: "build/rental/start.sh" };

const all = (file: Dockerfile, ...names: readonly string[]): readonly Instruction[] =>
  file.stages.flatMap(({ instructions }) => instructions).filter(({ name }) => names.includes(name));

const isStage = (file: Dockerfile, name: string) => file.stages.some((stage) => stage.name === name);

/** `base-${VARIANT}` → the stages whose name begins so. */
const stagesNamed = (file: Dockerfile, name: string) => {
  const pattern = new RegExp(`^${name.replace(/[.]/g, "\\.").replace(/\$\{?\w+\}?/g, ".+")}$`);
  return file.stages.filter((stage) => pattern.test(stage.name));
};

const bases = (file: Dockerfile, { base }: Stage) => stagesNamed(file, base);

/** Stages that nothing is built on: what people ask for. */
export function targetsOf(file: Dockerfile): readonly Stage[] {
  const used = new Set<Stage>();
  for (const stage of file.stages) {
    for (const base of bases(file, stage)) used.add(base);
    for (const { flags } of stage.instructions) for (const from of stagesNamed(file, flags.from ?? "")) used.add(from);
  }
  return file.stages.filter((stage) => !used.has(stage));
}

/** A stage's own instructions after those of the stages it is built on; of several variants the first stands for all. */
function lineage(file: Dockerfile, stage: Stage): readonly Instruction[] {
  const [base] = bases(file, stage);
  return [...(base === undefined ? [] : lineage(file, base)), ...stage.instructions];
}

const last = (instructions: readonly Instruction[], name: string) =>
  instructions.filter((instruction) => instruction.name === name).at(-1);

export const rules: readonly Rule[] = [
  {
    name: "pinned-image",
    says: "a base image is named with its version, so that two builds are of the same",
    check: (file) =>
      file.stages
        .filter(({ base }) => stagesNamed(file, base).length === 0)
        .filter(({ base }) => !/@sha256:[0-9a-f]{64}$/.test(base) && !/:v?\d+\.\d+[^:/]*$/.test(base))
        .map(({ line, base }) => [line, `${base} has no version in its tag`]),
  },
  {
    name: "public-image",
    says: "a base image is named as everybody can pull it, without the host of a registry",
    check: (file) =>
      file.stages
        .filter(({ base }) => /^[^/]*[.:][^/]*\//.test(base))
        .map(({ line, base }) => [line, `${base} names a registry`]),
  },
  {
    name: "node-version",
    says: "the Node that builds is the one of package.json",
    check: (file, { versions }) =>
      file.stages
        .filter(({ base }) => base.startsWith("node:") && !base.startsWith(`node:${versions.node}-`))
        .map(({ line, base }) => [line, `${base} is not Node ${versions.node}`]),
  },
  {
    name: "own-version",
    says: "the label says the version of package.json",
    check: (file, { versions }) =>
      all(file, "ARG")
        .filter((instruction) => (assignmentsOf(instruction).VERSION ?? versions.lanthorn) !== versions.lanthorn)
        .map(({ line }) => [line, `VERSION is not ${versions.lanthorn}`]),
  },
  {
    name: "engine-version",
    says: "engine packages have node-llama-cpp's own version: it loads no other",
    check: (file, { versions }) =>
      all(file, "RUN").flatMap(({ line, rest }) =>
        [...rest.matchAll(/@node-llama-cpp\/[\w-]+(@\S+)?/g)]
          .filter(([, version]) => version !== `@${versions["node-llama-cpp"]}`)
          .map(([name]) => [line, `${name} is not ${versions["node-llama-cpp"]}`] as const),
      ),
  },
  {
    name: "no-add",
    says: "ADD unpacks and downloads by itself; COPY does what it says",
    check: (file) => all(file, "ADD").map(({ line, rest }) => [line, `ADD ${rest}`]),
  },
  {
    name: "no-secret",
    says: "a value of ENV or ARG can be read from the image by whoever has it",
    check: (file) =>
      all(file, "ENV", "ARG").flatMap((instruction) =>
        Object.keys(assignmentsOf(instruction))
          .filter((name) => /(KEY|TOKEN|SECRET|PASSWORD|PASSPHRASE|CREDENTIALS?)$/i.test(name))
          .map((name) => [instruction.line, `${name} sounds like a secret`] as const),
      ),
  },
  {
    name: "exec-form",
    says: "a shell as the first process keeps SIGTERM to itself",
    check: (file) => [
      ...all(file, "ENTRYPOINT", "CMD")
        .filter(({ exec }) => exec === null)
        .map(({ line, name }) => [line, `${name} is in shell form`] as const),
      ...all(file, "HEALTHCHECK")
        .filter(({ rest }) => !/^(NONE$|CMD \[)/.test(rest))
        .map(({ line }) => [line, "HEALTHCHECK is in shell form"] as const),
    ],
  },
  {
    name: "not-root",
    says: "what serves is not root, by number, so that whoever runs the image can tell",
    check: (file, { read }) =>
      targetsOf(file).flatMap((stage): readonly Flaw[] => {
        const instructions = lineage(file, stage);
        const user = last(instructions, "USER");
        const script = beginsAsRoot[stage.name];
        if (script !== undefined) {
          const runsIt = last(instructions, "ENTRYPOINT")?.exec?.join() === `/opt/lanthorn/${script}`;
          if (runsIt && /^\s*as=\(setpriv --reuid/m.test(read(script))) return [];
          return [
            [stage.line, `${stage.name} begins as root and does not run ${script}, which gives that up`] as const,
          ];
        }
        if (user === undefined) return [[stage.line, `${stage.name} has no USER`]];
        if (!/^[1-9]\d*:[1-9]\d*$/.test(user.rest)) return [[user.line, `USER ${user.rest}`]];
        const count = instructions.filter(({ name }) => name === "USER").length;
        return count === 1 ? [] : [[user.line, `${stage.name} changes its user ${count} times`]];
      }),
  },
  {
    name: "complete-target",
    says: "whoever runs it needs to be told its port, its data, its health and its end",
    check: (file) =>
      targetsOf(file).flatMap((stage) => {
        const wanted = {
          EXPOSE: "4747",
          VOLUME: '["/data"]',
          STOPSIGNAL: "SIGTERM",
          HEALTHCHECK: null,
          ENTRYPOINT: null,
        };
        return Object.entries(wanted)
          .map(([name, value]) => [name, value, last(lineage(file, stage), name)] as const)
          .filter(([, value, found]) => found === undefined || (value !== null && found.rest !== value))
          .map(([name, value]) => [stage.line, `${stage.name} needs ${name} ${value ?? ""}`.trimEnd()] as const);
      }),
  },
  {
    name: "apt",
    says: "package lists are fetched, used and removed in one step; nothing is installed that was not asked for",
    check: (file) =>
      all(file, "RUN")
        .filter(({ rest }) => /\bapt(-get)?\b/.test(rest))
        .filter(
          ({ rest }) =>
            !/apt-get update\b/.test(rest) ||
            !/apt-get install\b[^&|;]*--no-install-recommends/.test(rest) ||
            !/rm -rf \/var\/lib\/apt\/lists\/?\*?/.test(rest),
        )
        .map(({ line }) => [
          line,
          "update, install --no-install-recommends and removing /var/lib/apt/lists in one RUN",
        ]),
  },
  {
    name: "npm",
    says: "npm installs what the lock says or an exact version, and packages run no scripts, `node` apart",
    check: (file) =>
      all(file, "RUN")
        .flatMap(({ line, rest }) => rest.split(/&&|;|\|/).map((command) => [line, command.trim()] as const))
        .filter(([, command]) => /^(npm|npx|yarn|pnpm)\b/.test(command))
        .filter(([, command]) => {
          if (/^npm run build$|^npm rebuild node\b/.test(command)) return false;
          if (!command.includes("--ignore-scripts")) return true;
          if (/^npm ci\b/.test(command)) return false;
          const words = command
            .split(/\s+/)
            .slice(2)
            .filter((word) => !word.startsWith("-"));
          return !/^npm install --no-save /.test(command) || !words.every((word) => /.@\d+\.\d+\.\d+$/.test(word));
        }),
  },
  {
    name: "no-download",
    says: "nothing comes in but by npm and its lock, and nothing asks for more rights",
    check: (file) =>
      all(file, "RUN")
        .filter(({ rest }) => /\b(curl|wget|git clone|sudo|chmod 777)\b/.test(rest))
        .map(({ line, rest }) => [line, rest]),
  },
  {
    name: "copy-source",
    says: "what is copied is there, by name, and the builder is sent it",
    check: (file, { has }) =>
      all(file, "COPY").flatMap(({ line, flags, rest, exec }): readonly Flaw[] => {
        if (exec !== null) return [[line, "the exec form of COPY is not read here"]];
        if (flags.from !== undefined) {
          const before = file.stages.filter((stage) => stage.line < line).map((stage) => stage.name);
          return before.includes(flags.from) ? [] : [[line, `--from=${flags.from} is no earlier stage`]];
        }
        return rest
          .split(/\s+/)
          .slice(0, -1)
          .filter((path) => path === "." || path === "./" || path.includes("*") || !has(path))
          .map((path) => [line, `${path} is not copied by name, or is not there`] as const);
      }),
  },
  {
    name: "absolute-workdir",
    says: "WORKDIR says where, not where from",
    check: (file) =>
      all(file, "WORKDIR")
        .filter(({ rest }) => !rest.startsWith("/"))
        .map(({ line, rest }) => [line, rest]),
  },
  {
    name: "known-stage",
    says: "the last stage is what people get who ask for none",
    check: (file) =>
      isStage(file, "server") && file.stages.at(-1)?.name === "server" ? [] : [[1, "the last stage is not `server`"]],
  },
];

/** Everything that breaks a rule, by line. */
export function findingsIn(file: Dockerfile, around: Surroundings): readonly Finding[] {
  return rules
    .flatMap(({ name, check }) => check(file, around).map(([line, message]) => ({ line, rule: name, message })))
    .sort((left, right) => left.line - right.line);
}
