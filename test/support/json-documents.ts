/**
 * Documents made from the rules of RFC 8259's grammar: what breaks each rule, what each rule allows, and what it leaves to
 * whoever reads. Bytes, because some are no text. Generated, so that the same always come in the same order.
 */

export interface JsonDocument {
  readonly name: string;
  readonly bytes: Buffer;
}

type Entry = string | Buffer;

function named(category: string, entries: readonly Entry[]): JsonDocument[] {
  return entries.map((entry, index) => {
    const bytes = typeof entry === "string" ? Buffer.from(entry) : entry;
    const shown = bytes
      .subarray(0, 24)
      .toString("latin1")
      .replace(/[^\x21-\x7e]/g, "·");
    return { name: `${category} ${index}: ${shown}`, bytes };
  });
}

/** Entries of a table written between bars, ends trimmed; a backslash is a backslash (`String.raw`). */
function table(text: string): string[] {
  return text.split("¦").map((entry) => entry.trim());
}

const bytes = (...values: number[]) => Buffer.from(values);
const inString = (...values: number[]) => Buffer.concat([Buffer.from('"'), bytes(...values), Buffer.from('"')]);
const controls = Array.from({ length: 32 }, (_, code) => String.fromCharCode(code));
const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
const nestedObjects = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;

/** Every way of ending this document before its end. */
function cutShort(whole: string): string[] {
  return Array.from({ length: whole.length - 1 }, (_, index) => whole.slice(0, index + 1));
}

const noEscapes = [
  ..."acdeghijklmopqsvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
  ..."'`$ -_(){}[]<>!%&*+,.:;=?@^|~#",
  ...["\n", "\0", "é", "🏮"],
];
const otherSpaces = [..."\f\v\b\u00a0\u0085\u1680\u2003\u2028\u2029\u200b\u2060\u3000\ufeff\u180e"];

/** What no reader of JSON may accept. */
export function malformedDocuments(): readonly JsonDocument[] {
  return [
    ...named("no value", [" ", "\n\t", "\0", ...table(String.raw`, ¦ : ¦ \ ¦ / ¦ ' ¦ ] ¦ } ¦ ( ¦ ) ¦ < ¦ ; ¦ _ ¦ !`)]),
    ...named("cut short", cutShort('{"a":[1.5e+3,"b\\u0041",true,null]}')),
    ...named("list", [
      "[1,\n",
      ...table('[,] ¦ [,1] ¦ [1,] ¦ [1,,2] ¦ [1 2] ¦ ["a""b"] ¦ [1:2] ¦ [:] ¦ [1;2] ¦ [(1)] ¦ [*]'),
    ]),
    ...named(
      "object",
      table(`{,} ¦ {"a":1,} ¦ {,"a":1} ¦ {"a":1,,"b":2} ¦ {"a":1 "b":2} ¦ {"a" 1} ¦ {"a"::1} ¦ {"a":} ¦ {"a"} ¦ {"a",1}
        ¦ {"a"=1} ¦ {"a"=>1} ¦ {:1} ¦ {1:1} ¦ {a:1} ¦ {true:1} ¦ {null:null} ¦ {'a':1} ¦ {[]:1} ¦ {{}:1} ¦ {"a":1;"b":2}
        ¦ {"a":1:2} ¦ {1} ¦ {[1]} ¦ {"a":b} ¦ {"a":1,"b"} ¦ {"a":1}}`),
    ),
    ...named("wrong bracket", table('[} ¦ {] ¦ [1} ¦ {"a":1] ¦ [[]} ¦ {"a":[} ¦ []] ¦ {}} ¦ [[1]]] ¦ [{]} ¦ {[}')),
    ...named("more than one value", [
      "[]\0",
      '{"a":1}\n{"a":2}\n',
      ...table('[][] ¦ {}{} ¦ 1 2 ¦ [] {} ¦ "a""b" ¦ [1]x ¦ {}x ¦ [], ¦ {},{} ¦ null null ¦ truefalse ¦ 1,2 ¦ {}#'),
    ]),
    ...named(
      "literal",
      table(`tru ¦ truee ¦ True ¦ TRUE ¦ fals ¦ falsee ¦ False ¦ nul ¦ nulll ¦ Null ¦ NULL ¦ nil ¦ None ¦ undefined ¦ yes
        ¦ on ¦ t ¦ -true ¦ tr ue ¦ [nul] ¦ [tru] ¦ !true`),
    ),
    ...named(
      "number",
      table(`+1 ¦ - ¦ --1 ¦ ++1 ¦ - 1 ¦ 01 ¦ -01 ¦ 00 ¦ 012 ¦ 1. ¦ -1. ¦ .5 ¦ -.5 ¦ . ¦ 1.2.3 ¦ 1..2 ¦ 1e ¦ 1E ¦ 1e+ ¦ 1e-
        ¦ 1e+-1 ¦ 1ee2 ¦ 1e1e1 ¦ 1e1.5 ¦ 1.e1 ¦ .e1 ¦ e1 ¦ 1 000 ¦ 1_000 ¦ 1'000 ¦ 0x1F ¦ 0b1 ¦ 0o7 ¦ 1n ¦ 1f ¦ 1L ¦ 1%
        ¦ 1/2 ¦ 1+2 ¦ NaN ¦ -NaN ¦ Infinity ¦ -Infinity ¦ inf ¦ 1#INF ¦ \u0661 ¦ \uff11 ¦ \u00bd ¦ \u221e ¦ \u22121`),
    ),
    ...named(
      "string",
      table(String.raw`" ¦ "a ¦ "a\" ¦ 'a' ¦ ${"`a`"} ¦ a ¦ \"a" ¦ "\ ¦ "a"b" ¦ “a” ¦ """ ¦ «a» ¦ ["a] ¦ {"a:1}`),
    ),
    ...named(
      "raw control in a string",
      controls.map((control) => `"a${control}b"`),
    ),
    ...named(
      "raw control in a key",
      controls.map((control) => `{"${control}":1}`),
    ),
    ...named(
      "escape that is none",
      noEscapes.map((character) => `"\\${character}"`),
    ),
    ...named(
      "unicode escape",
      table(String.raw`"\u" ¦ "\u1" ¦ "\u12" ¦ "\u123" ¦ "\u123g" ¦ "\u 123" ¦ "\u-123" ¦ "\u+123" ¦ "\u{41}" ¦ "\u00 ¦ "\ud83d\u"
        ¦ "\u１234"`),
    ),
    ...named(
      "space that is none",
      otherSpaces.map((space) => `[1,${space}2]`),
    ),
    ...named("comment", [
      ...["//x\n1", "#x\n1", "--x\n1", ";x\n1"],
      ...table("/**/1 ¦ 1/**/ ¦ 1//x ¦ 1 #x ¦ <!--x-->1 ¦ [1,/*x*/2]"),
    ]),
    ...named("another language", [
      ...["- a\n- b", "[a]\nb = 1", ")]}',\n{}", "\x1e{}\n", "data: {}\n\n"],
      ...table(`a=1 ¦ var a=1 ¦ (1) ¦ {}(); ¦ function(){} ¦ ()=>1 ¦ [...a] ¦ new Date() ¦ /a/ ¦ a: 1 ¦ <a>1</a> ¦ a=1&b=2
        ¦ for(;;);{} ¦ cb({"a":1}) ¦ @{a=1} ¦ {{a}} ¦ %7B%7D ¦ e30=`),
    ]),
    ...named("not UTF-8", [
      ...[[0x80], [0xbf], [0xff], [0xfe], [0xc0, 0x80], [0xc1, 0xbf], [0xc3], [0xe2, 0x82]].map((one) =>
        inString(...one),
      ),
      ...[
        [0xe0, 0x80, 0x80],
        [0xed, 0xa0, 0x80],
        [0xed, 0xbf, 0xbf],
      ].map((one) => inString(...one)),
      ...[
        [0xf0, 0x80, 0x80, 0x80],
        [0xf0, 0x9f, 0x8f],
        [0xf4, 0x90, 0x80, 0x80],
      ].map((one) => inString(...one)),
      ...[
        [0xf5, 0x80, 0x80, 0x80],
        [0xf8, 0x88, 0x80, 0x80, 0x80],
      ].map((one) => inString(...one)),
      inString(0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80),
      bytes(0x5b, 0xff, 0x5d),
      bytes(0xff),
      Buffer.from('{"a":1}', "utf16le"),
      Buffer.concat([bytes(0xff, 0xfe), Buffer.from('{"a":1}', "utf16le")]),
      Buffer.from("\ufeff[]", "utf16le").swap16(),
      bytes(0, 0, 0, 0x5b, 0, 0, 0, 0x5d),
    ]),
    ...named("deep and open", [
      "[".repeat(100_000),
      '{"a":'.repeat(50_000),
      '[{"a":'.repeat(25_000),
      nested(200).slice(0, -1),
    ]),
  ];
}

const rightNumbers =
  table(`0 ¦ -0 ¦ 1 ¦ -1 ¦ 10 ¦ 123456789 ¦ 0.0 ¦ -0.1 ¦ 1.5 ¦ 0.000001 ¦ 1e1 ¦ 1E1 ¦ 1e+1 ¦ 1e-1 ¦ 1.5E+10
  ¦ -1.5e-10 ¦ 0e0 ¦ 0E+0 ¦ 9007199254740991 ¦ 1e308`);
/** Between the quotes. */
const rightStrings = [
  ...["", " ", "x".repeat(10_000), "\u007f", "\u0080", "\u2028\u2029", "\ufeff", "\uffff", "\u{10ffff}"],
  ...table(String.raw`a ¦ / ¦ \/ ¦ \" ¦ \\ ¦ \b\f\n\r\t ¦ \u0000 ¦ \u001f ¦ \u0041 ¦ \u00E9 ¦ \uABCD ¦ \uabcd ¦ \ud83c\udfee
    ¦ \uD834\uDD1E ¦ é ¦ 🏮 ¦ // no comment ¦ [{,:}] ¦ \u005c\u0022`),
];
const rightSpaces = ["", " ", "\t", "\n", "\r", "\r\n", " \n\r\t "];

/** What every reader of JSON must accept. None nests deeper than 100. */
export function rightDocuments(): readonly JsonDocument[] {
  const values = [...rightNumbers, ...rightStrings.map((text) => `"${text}"`), "true", "false", "null", "[]", "{}"];
  return [
    ...named("value", values),
    ...named(
      "in a list",
      values.map((value) => `[${value}]`),
    ),
    ...named(
      "in an object",
      values.map((value) => `{"b":${value}}`),
    ),
    ...named(
      "as a key",
      rightStrings.map((text) => `{"${text}":1}`),
    ),
    ...named(
      "space",
      rightSpaces.map((space) => ["", "[", "2", ",", "{", '"a"', ":", "2", "}", "]", ""].join(space)),
    ),
    ...named("shape", [
      ...['{"a":1,"a":2}', '{"":{"":{"":[]}}}', '[1,"a",true,null,{},[]]', nested(100), nestedObjects(100)],
      `[${Array(1000).fill("null").join(",")}]`,
      `{${Array.from({ length: 1000 }, (_, index) => `"k${index}":${index}`).join(",")}}`,
    ]),
  ];
}

const openNumbers = [
  ...table(
    "1e309 ¦ -1e309 ¦ 1e400 ¦ 1e-400 ¦ 1e99999 ¦ 1E-99999 ¦ 9007199254740993 ¦ 18446744073709551616 ¦ 1e+0000000001",
  ),
  ...table("-9223372036854775809 ¦ 0.1e-9999999999 ¦ 123e-10000000 ¦ -0e-0"),
  ...[`1${"0".repeat(400)}`, `-${"9".repeat(10_000)}`, `0.${"1".repeat(10_000)}`, `1e${"1".repeat(1000)}`],
];
const halfPairs =
  table(String.raw`\ud800 ¦ \udc00 ¦ \udfff ¦ \udbff ¦ \udc00\ud800 ¦ \ud800\ud800 ¦ \ud83c ¦ \ud83cx ¦ x\udfee
  ¦ \ud800\u0041 ¦ \uD83C\\uDFEE ¦ \ud800abc\udc00 ¦ \udead ¦ \ud800\n`);
const keysWithMeaning = table(`__proto__ ¦ constructor ¦ prototype ¦ toString ¦ hasOwnProperty ¦ valueOf ¦ length
  ¦ __defineGetter__ ¦ then ¦ toJSON`);

/** What the grammar allows and readers differ on: any answer but a fault of our own. */
export function openDocuments(): readonly JsonDocument[] {
  return [
    ...named("number", openNumbers),
    ...named(
      "half a pair",
      halfPairs.map((text) => `"${text}"`),
    ),
    ...named(
      "half a pair in a key",
      halfPairs.map((text) => `{"${text}":1}`),
    ),
    ...named(
      "a key with a meaning",
      keysWithMeaning.map((key) => `{"${key}":{"polluted":1,"${key}":[]}}`),
    ),
    ...named(
      "deep",
      [257, 500, 10_000, 100_000].flatMap((depth) => [nested(depth), nestedObjects(depth)]),
    ),
    ...named("byte order mark", ["\ufeff{}", "\ufeff[]", '\ufeff"a"']),
    ...named("long", [
      `"${"x".repeat(500_000)}"`,
      `{"${"k".repeat(500_000)}":1}`,
      `[${Array(100_000).fill("1").join(",")}]`,
      `"${"\\u0041".repeat(80_000)}"`,
      `${" ".repeat(500_000)}1`,
    ]),
  ];
}
