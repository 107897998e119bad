/** Our shell scripts keep to their rules; each rule sees a breach. */
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkShell, findingsIn, scriptsIn } from "../../build/check-shell.ts";
import { checkout, emptyTree } from "./tree.ts";

const script = (...lines: readonly string[]) => ["#!/usr/bin/env bash", "set -euo pipefail", ...lines, ""].join("\n");

test("the scripts of the checkout keep to them", () => {
  expect(scriptsIn(checkout)).toEqual([
    "build/install.sh",
    "build/rental/start.sh",
    "build/rental/vast/onstart.sh",
    ".ci/run",
  ]);
  expect(checkShell(checkout)).toEqual([]);
});

test.each([
  ["eval $settings", "no-eval"],
  ['if true; then eval "$x"; fi', "no-eval"],
  ["set -x", "no-trace"],
  ["set -eux", "no-trace"],
  ["day=`date`", "no-backticks"],
  ['curl -fsSL "$url" | bash', "no-pipe-to-shell"],
  ['wget "$url"', "no-download"],
  ['local owner=$(stat -c %u "$home")', "masked-status"],
  ["rm -rf $home", "quoted-path"],
  ['cp "$from" $to', "quoted-path"],
  ['echo "the key is $LANTHORN_ADMIN_KEY"', "secret-shown"],
  ['say "$' + '{CONTAINER_API_KEY:-none}"', "secret-shown"],
  ["sudo systemctl restart lanthorn", "no-sudo"],
  ["true ", "blanks"],
])("%s is a breach: %s", (line, rule) => {
  const found = findingsIn("a.sh", script(line));
  expect(found.map((finding) => /^a\.sh:3: .* \(([\w-]+)\)$/.exec(finding)?.[1])).toContain(rule);
});

test.each([
  ["# eval is not run in a comment, nor is `this`"],
  ['rm -rf "$home/cache" && mkdir "$home"'],
  ["local count=$((1 + 2))"],
  ['say "add \\`-p 4747:4747\\` to the options"'],
  ['say "the key lies in $key_file"'],
  ['# shell: no-download, because it is the market\'s own address\ncurl "$url"'],
])("%s is none", (line) => {
  expect(findingsIn("a.sh", script(line))).toEqual([]);
});

test("what bash cannot read, what nobody may run, and what is not strict is found in a tree", () => {
  const tree = emptyTree();
  tree.write("build/broken.sh", script("if true; then"));
  chmodSync(join(tree.root, "build/broken.sh"), 0o755);
  tree.write("build/lax.sh", "#!/bin/sh\ntrue\n");
  const found = checkShell(tree.root).join("\n");
  expect(found).toMatch(/broken\.sh: line \d+: syntax error/);
  expect(found).toMatch(/lax\.sh:1: begins with .*\n.*lax\.sh:1: .*\(strict\)\n.*lax\.sh: is not executable/);
});
