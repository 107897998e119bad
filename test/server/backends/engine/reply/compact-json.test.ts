/** JSON in pieces becomes what `JSON.stringify` would write, and what is no JSON is noticed where it goes wrong. */
import { describe, expect, test } from "vitest";
import { CompactJson } from "../../../../../server/backends/engine/reply/compact-json.ts";

function compact(pieces: readonly string[]) {
  const json = new CompactJson();
  const read = pieces.map((piece) => json.push(piece, 0));
  return { json, read };
}

describe("values", () => {
  test.each([
    "{}",
    "[]",
    '{"a":[{},[],""],"b":{"c":-1.5e-7}}',
    ' {"a" : 1 , "b" : [ true , false , null ] } ',
    '{"\\u0061\\n\\t\\"\\\\\\/":"\\ud83c\\udfee\\u00e9\\u0001\\u007f\u2028"}',
    '{"lone":"\\ud83c","other":"\\udfee\\ud83c x"}',
    '{"n":[0,-0,1.0,1e3,1E+2,0.1,123456789012,1e21]}',
    '{"__proto__":1,"a":{"__proto__":{}}}',
  ])("%s", (text) => {
    const wanted = JSON.stringify(JSON.parse(text)).replace("1e+21", "1e21");
    const trimmed = text.trimStart();
    for (let cut = 0; cut < trimmed.length; cut += 1) {
      const { json } = compact([trimmed.slice(0, cut), trimmed.slice(cut)]);
      expect([json.state, json.slice(0)]).toEqual(["done", wanted]);
    }
  });

  test("the text behind the value is left alone", () => {
    expect(compact(['{"a":1}}rest']).read).toEqual([7]);
  });

  test("members of the outermost object are known as they come", () => {
    const { json } = compact(['{"a": {"x": 1}, "b": [1, ']);
    expect(json.members.map(({ key, from, to }) => [key, to === null ? null : json.slice(from, to)])).toEqual([
      ["a", '{"x":1}'],
      ["b", null],
    ]);
  });
});

test.each([
  "1",
  '"a"',
  "{a:1}",
  '{"a" 1}',
  '{"a":}',
  '{"a":01}',
  '{"a":+1}',
  '{"a":nope}',
  "[1 2]",
  "[1,]}",
  '{"a":"\\x"}',
  "{]",
])("%s is none", (text) => {
  for (const pieces of [[text], text.split("")]) expect(compact(pieces).json.state).toBe("failed");
});
