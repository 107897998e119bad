/** How Dockerfiles are read, and which rules ours is held against: each rule sees a breach planted in our own file. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { assignmentsOf, expand, parseDockerfile, stagesFor } from "../../../build/docker/dockerfile.ts";
import { dockerfilePath, lint } from "../../../build/docker/lint.ts";
import { rules, targetsOf } from "../../../build/docker/rules.ts";
import { checkout } from "../tree.ts";

const ours = readFileSync(join(checkout, dockerfilePath), "utf8");

describe("reading", () => {
  test("joins continued lines, leaves comments out, and keeps flags and the exec form apart", () => {
    const { stages } = parseDockerfile(
      [
        "FROM a:1.0 AS one",
        "ENV A=1 \\",
        "    # why",
        '    B="two words"',
        "COPY --from=made --chown=1:1 /a ./b",
        'CMD ["x", "y"]',
      ].join("\n"),
    );
    const [env, copy, cmd] = stages[0]?.instructions ?? [];
    expect(env).toMatchObject({ line: 2, name: "ENV", exec: null });
    expect(env && assignmentsOf(env)).toEqual({ A: "1", B: "two words" });
    expect(copy).toMatchObject({ line: 5, flags: { from: "made", chown: "1:1" }, rest: "/a ./b" });
    expect(cmd).toMatchObject({ line: 6, exec: ["x", "y"] });
  });

  test.each([
    ["FROM a:1.0\nRUN <<EOF\necho\nEOF", "Line 2"],
    ["FROM a:1.0\nONBUILD RUN x", "Line 2"],
    ["FROM a:1.0\nCMD ['x']", "Line 2"],
    ["FROM a:1.0 AS one\nFROM b:1.0 AS one", "Line 2"],
    ["RUN x", "Line 1"],
    ["FROM a:1.0\nENV A 1", null],
  ])("%j is not taken for something it is not", (text, line) => {
    const read = () => parseDockerfile(text).stages.flatMap((stage) => stage.instructions.map(assignmentsOf));
    if (line !== null) expect(read).toThrow(line);
    else expect(read()).toEqual([{ A: "", "1": "" }]);
  });

  test("values are put in, and what is more than a name is refused", () => {
    expect(expand("base-$" + "{VARIANT}/$HOME/$MISSING", { VARIANT: "cpu", HOME: "/data" })).toBe("base-cpu//data/");
    expect(() => expand("$" + "{A:-b}", {})).toThrow("Not understood");
  });

  test("a target is made of what it is built on and what it copies from, and of no other variant", () => {
    const file = parseDockerfile(ours);
    const names = stagesFor(file, ["server"], { VARIANT: "cuda12" }).map(({ name }) => name);
    expect(names).toEqual(["made", "lean", "packages-cuda12", "packages", "base-cuda12", "runtime", "server"]);
    expect(() => stagesFor(file, ["desktop"], { VARIANT: "cpu" })).toThrow("no stage desktop");
  });
});

describe("our Dockerfile", () => {
  test("keeps to the rules", () => {
    expect(lint(ours, checkout)).toEqual([]);
    expect(targetsOf(parseDockerfile(ours)).map(({ name }) => name)).toEqual(["rental", "server"]);
  });

  /** What is put in place of what, and which rule must see it. */
  const breaches: readonly (readonly [rule: string, from: string | RegExp, to: string])[] = [
    ["pinned-image", "debian:12.15-slim", "debian:latest"],
    ["pinned-image", "debian:12.15-slim", "debian"],
    ["pinned-image", "nvidia/cuda:12.8.1-runtime", "nvidia/cuda:12-runtime"],
    ["public-image", "debian:12.15-slim", "registry.example:5000/debian:12.15-slim"],
    ["node-version", /node:24\.\d+\.\d+-/, "node:22.20.0-"],
    ["own-version", "ARG VERSION=0.1.0", "ARG VERSION=0.0.9"],
    ["engine-version", "@node-llama-cpp/linux-x64@3.22.1", "@node-llama-cpp/linux-x64@3.21.0"],
    ["no-add", "COPY LICENSE ./", "ADD https://example.com/LICENSE ./"],
    ["no-secret", "ENV HOME=/data", "ENV LANTHORN_ADMIN_KEY=secret HOME=/data"],
    ["no-secret", "ARG VERSION=0.1.0", "ARG NPM_TOKEN"],
    ["exec-form", 'CMD ["serve", "--first-key-file", "/data/admin.key"]', "CMD serve"],
    [
      "exec-form",
      /CMD \["\/opt\/lanthorn\/node\/bin\/node", "\/opt\/lanthorn\/build\/docker\/health.js"\]/,
      "CMD true",
    ],
    ["not-root", "USER 10001:10001", "USER root"],
    ["not-root", "USER 10001:10001\n", ""],
    ["not-root", "USER 10001:10001", "USER 10001:10001\nUSER 1000:1000"],
    ["not-root", "/opt/lanthorn/build/rental/start.sh", "/opt/lanthorn/build/rental/vast/onstart.sh"],
    ["complete-target", "STOPSIGNAL SIGTERM\n", ""],
    ["complete-target", "EXPOSE 4747", "EXPOSE 80"],
    ["apt", "RUN npm rebuild", "RUN apt-get update && apt-get install -y curl\nRUN npm rebuild"],
    ["npm", "--ignore-scripts --no-audit --no-fund\nRUN npm rebuild", "--no-audit --no-fund\nRUN npm rebuild"],
    ["npm", "linux-x64@3.22.1\n", "linux-x64\n"],
    ["no-download", "RUN npm rebuild", "RUN curl -O https://example.com/x\nRUN npm rebuild"],
    ["copy-source", "COPY models ./models", "COPY . ./models"],
    ["copy-source", "COPY models ./models", "COPY weights ./models"],
    ["copy-source", "COPY models ./models", "COPY test ./models"],
    ["copy-source", "--from=made /src/dist", "--from=server /src/dist"],
    ["absolute-workdir", "WORKDIR /src", "WORKDIR src"],
    ["known-stage", "FROM runtime AS server", "FROM runtime AS desktop"],
  ];

  test.each(breaches)("%s sees %s → %s", (rule, from, to) => {
    const text = ours.replace(from, to);
    expect(text).not.toBe(ours);
    expect(lint(text, checkout).map((finding) => finding.rule)).toContain(rule);
  });

  test("every rule has a breach here", () => {
    expect([...new Set(breaches.map(([rule]) => rule))].sort()).toEqual(rules.map(({ name }) => name).sort());
  });

  test("apt in one step, with its lists removed, would be allowed", () => {
    const good =
      "RUN apt-get update && apt-get install -y --no-install-recommends libvulkan1 && rm -rf /var/lib/apt/lists/*";
    expect(lint(ours.replace("RUN npm rebuild", `${good}\nRUN npm rebuild`), checkout)).toEqual([]);
  });
});
