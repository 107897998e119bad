/** The steps of a small Dockerfile, carried out in a folder; and what is trimmed from packages. Runs real shells. */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { carryOut, environmentOnto, onto } from "../../../build/docker/carry-out.ts";
import { parseDockerfile } from "../../../build/docker/dockerfile.ts";
import { trim } from "../../../build/docker/trim.ts";
import { filesBelow } from "../../../build/products.js";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const isRoot = process.getuid?.() === 0;

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

async function carried(lines: readonly string[], files: Readonly<Record<string, string>>, targets = ["last"]) {
  const said: string[] = [];
  const built = await carryOut({
    file: parseDockerfile(lines.join("\n")),
    targets,
    values: { WORD: "given" },
    context: folderWith(files),
    below: temporaryFolder(),
    environment: { PATH: process.env.PATH, OUTER: "yes" },
    say: (line) => said.push(line),
  });
  return { built, said: said.join("\n") };
}

test("copies, runs and settings of a stage are carried over to the next, and the image's paths are put onto its folder", async () => {
  const { built, said } = await carried(
    [
      "FROM node:1.0 AS made",
      "WORKDIR /src",
      "COPY a.txt folder ./",
      "ARG WORD=standard",
      "ENV HOME=/src LIST=/src/a:/src/b",
      "RUN cat a.txt > /src/out.txt && echo $WORD $HOME $OUTER >> out.txt",
      "FROM debian:1.0 AS last",
      "RUN useradd lanthorn",
      "RUN apt-get update",
      "WORKDIR /opt/program",
      "COPY --from=made /src/out.txt ./out.txt",
      "USER 10001:10001",
      'ENTRYPOINT ["/opt/program/run"]',
      'CMD ["serve"]',
      'HEALTHCHECK --interval=1s CMD ["/opt/program/health"]',
    ],
    { "a.txt": "one\n", "folder/b.txt": "two\n" },
  );
  const last = built.get("last");
  if (last === undefined) throw new Error("not built");
  expect([...built.keys()]).toEqual(["last"]);
  const made = last.root.replace(/last$/, "made");
  expect(readFileSync(join(last.root, "opt/program/out.txt"), "utf8")).toBe(`one\ngiven ${made}/src yes\n`);
  expect(existsSync(made)).toBe(false);
  expect(last).toMatchObject({
    user: { uid: 10001, gid: 10001 },
    entrypoint: ["/opt/program/run"],
    command: ["serve"],
    health: ["/opt/program/health"],
    workFolder: "/opt/program",
  });
  expect(onto("/opt/program/run --to=/src /srcs", last)).toBe(
    `${last.root}/opt/program/run --to=${last.root}/src /srcs`,
  );
  expect(environmentOnto({ ...last, environment: { A: "/src/a:/src/b", B: "/usr" } })).toEqual({
    A: `${last.root}/src/a:${last.root}/src/b`,
    B: "/usr",
  });
  expect(said).toContain(
    "last:8 RUN useradd lanthorn\n  not executed here, because it would make a user on this machine",
  );
  expect(said).toContain("not executed here, because it would install packages on this machine");
  expect(said).toContain("made: an empty folder stands for node:1.0");
});

test("a step that fails ends it, with what it wrote", async () => {
  const lines = ["FROM a:1.0 AS last", "RUN echo so far; false; echo not reached"];
  await expect(carried(lines, {})).rejects.toThrow(/^last:2 RUN .*\n {2}ended with status 1 after .* s:\nso far$/);
  await expect(carried(["FROM a:1.0 AS last", "COPY b ./b"], {})).rejects.toThrow("Line 2: b is not there.");
});

test.skipIf(!isRoot)("a folder that belongs to another user still does in the stages built on it", async () => {
  const lines = [
    "FROM a:1.0 AS base",
    'VOLUME ["/data"]',
    "RUN install -d -o 10001 -g 10001 -m 0700 /data",
    "FROM base AS last",
  ];
  const { built } = await carried(lines, {});
  const { uid, mode } = statSync(join(built.get("last")?.root ?? "", "data"));
  expect({ uid, mode: mode & 0o777 }).toEqual({ uid: 10001, mode: 0o700 });
});

test("what nobody reads at run time is trimmed, and folders that are empty then", () => {
  const folder = folderWith({
    "node_modules/zod/index.js": "",
    "node_modules/zod/index.d.ts": "types",
    "node_modules/zod/types/only.d.ts": "types",
    "node_modules/better-sqlite3/prebuilds/linux-x64.node": "",
    "node_modules/better-sqlite3/prebuilds/darwin-x64.node": "other",
    "node_modules/better-sqlite3/deps/sqlite3/sqlite3.c": "source",
  });
  expect(trim(join(folder, "node_modules"), { platform: "linux", arch: "x64" })).toBe(21);
  expect(filesBelow(join(folder, "node_modules"), "zod")).toEqual(["zod/index.js"]);
  expect(filesBelow(join(folder, "node_modules"), "better-sqlite3")).toEqual([
    "better-sqlite3/prebuilds/linux-x64.node",
  ]);
  expect(existsSync(join(folder, "node_modules/zod/types"))).toBe(false);
});
