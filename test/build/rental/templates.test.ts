/** The markets' templates: shapes as their documentation says, and the names that the image and the start script go by. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { dockerfilePath } from "../../../build/docker/lint.ts";
import { checkout } from "../tree.ts";

const read = (path: string) => readFileSync(join(checkout, path), "utf8");
const { version } = JSON.parse(read("package.json")) as { version: string };

/** `POST /api/v0/template/` of Vast.ai, as its documentation lists the fields. */
const vastTemplate = z.strictObject({
  name: z.string().min(1),
  desc: z.string(),
  image: z.string(),
  tag: z.string(),
  env: z.string(),
  runtype: z.enum(["args", "ssh", "jupyter"]),
  args_str: z.string().optional(),
  onstart: z.string().max(4048).optional(),
  use_ssh: z.boolean().optional(),
  ssh_direct: z.boolean().optional(),
  extra_filters: z.record(
    z.string(),
    z.record(z.enum(["eq", "neq", "gt", "gte", "lt", "lte", "in", "notin"]), z.unknown()),
  ),
  recommended_disk_space: z.number().int().positive(),
  private: z.boolean(),
});

/** `POST /v2/templates` of RunPod: `CreateTemplateRequest`. */
const runpodTemplate = z.strictObject({
  name: z.string().min(1),
  image: z.string(),
  category: z.enum(["CPU", "NVIDIA", "AMD"]),
  disk: z.int().min(1),
  ports: z.array(z.string().regex(/^\d+\/(http|tcp)$/)).max(10),
  env: z.record(z.string(), z.string()),
  mounts: z.strictObject({ persistent: z.strictObject({ size: z.int().min(10), path: z.string().startsWith("/") }) }),
  public: z.boolean(),
  serverless: z.boolean(),
});

const vast = ["template.json", "template-ssh.json"].map((name) =>
  vastTemplate.parse(JSON.parse(read(`build/rental/vast/${name}`))),
);
const runpod = runpodTemplate.parse(JSON.parse(read("build/rental/runpod/template.json")));

test("ask for the image of this version, from a registry that everybody fills in", () => {
  const tag = `${version}-cuda13-rental`;
  expect(vast.map(({ image, tag }) => `${image}:${tag}`)).toEqual(Array(2).fill(`YOUR-REGISTRY/lanthorn:${tag}`));
  expect(runpod.image).toBe(`YOUR-REGISTRY/lanthorn:${tag}`);
});

test("map the port that the image exposes, and put the data folder on the disk that lasts", () => {
  const dockerfile = read(dockerfilePath);
  const port = /^EXPOSE (\d+)$/m.exec(dockerfile)?.[1];
  const home = /LANTHORN_HOME=(\S+)/.exec(dockerfile)?.[1];
  for (const { env } of vast) {
    expect(env).toContain(`-p ${port}:${port} `);
    expect(env).toContain(`-e LANTHORN_HOME=${home}`);
  }
  expect(runpod.ports).toEqual([`${port}/http`]);
  expect([runpod.env.LANTHORN_HOME, runpod.mounts.persistent.path]).toEqual([home, home]);
});

test("hold no key: whoever has a template, and the host of a machine, can read it", () => {
  for (const text of [...vast.map(({ env }) => env), Object.keys(runpod.env).join(" ")])
    expect(text).not.toMatch(/KEY|TOKEN|SECRET/);
});

test("the start script that Vast.ai is told lies where the image has it", () => {
  const [, ssh] = vast;
  const path = ssh?.onstart?.replace(/^\/opt\/lanthorn\//, "") ?? "";
  expect(existsSync(join(checkout, path))).toBe(true);
  expect(statSync(join(checkout, path)).mode & 0o111).not.toBe(0);
  expect(read(dockerfilePath)).toContain("COPY build/rental ./build/rental");
});
