/**
 * Words that the constructed models' tokenizers know as one token, most wanted first. Plain data, made for this project.
 * Which words they are changes only how many tokens a prompt has: prose and an agent's prompt come to about three
 * characters per token.
 */

/** What most sentences are made of, and what programs and their descriptions are made of: with and without a space before. */
const everywhere = `
the of and to in a is that for it you this with be on as are not or by from at have if an will can your we all but they has
was which when use one their there do any what so about only other more no should must into them would also than its then
out up time new some these how each where who get make see like after his her he she file files user users code name names
value values type types data line lines list text test tests tool tools call calls function functions return returns error
errors string number true false null object array model models message messages content system assistant command commands
output input path folder directory run running read write edit create delete change changes add remove set find search show
start stop open close first last next before between description schema json format current project task tasks step
parameters parameter argument arguments property properties required default option options result results id key keys
request requests response responses server client version token tokens context window limit length size count max min
index item items element node class method module package import export const let var async await event events action state
status session config settings environment source library database query row column field fields table title body header
link url page web http https www com org html css javascript typescript python bash shell npm git github branch commit
build release update install fix bug feature support log logs debug info warn api app docs comment example examples note
`;

/** Only with a space before: words that stand within sentences. */
const inSentences = `
I may need were been being those such own most many much very just now here again always never both while because however
therefore using used work works working available information following specific provide provided provides include includes
including contain contains given based important ensure check make sure possible requires without within through over under
same every set question questions answer answers help helpful way ways want good best better different large small long
short high low full empty single multiple several another part parts point end place case cases problem problems issue
issues solution explain describe understand know think look take give keep let put try ask tell say said says come go back
down off still even too two three four five six ten people world year years day days week month life country company group
government business language English program software computer memory once away done made left right top bottom main real
valid invalid existing missing known unknown related relevant necessary able likely ready passed fail failed fails failure
success successful successfully happens cause allow allows allowed prevent avoid handle handles handling supports supported
load loaded save saved store stored send sent receive received print display match matches matching replace select insert
append join split sort filter map loop parse convert generate generated execute executed invoke apply applied define
defined declare implement implemented implementation extend callback thread lock queue stack tree graph hash cache cached
buffer stream bytes byte character characters integer float boolean date width height sum average range begin level depth
order priority weight score rate cost price money budget hour hours minute minutes second seconds today tomorrow yesterday
morning night hello thanks please write poem story about love water house food city river weather world book music film
game car train star light dark colour black white red green blue dog cat bird tree friend child family doctor teacher
student science history machine learning training network weights office team agent agents instruction instructions prompt
conversation respond reply concise direct simple clear complete correct proper exactly carefully directly quickly
immediately automatically currently already often usually sometimes instead especially particularly specifically either
neither whether though although until unless since during against among across along around near above below behind inside
outside upon per via less least fewer greater equal permission security safe private public local remote host port address
connection timeout retry details detail summary document documents documentation section sections style rules rule
guidelines codebase repository current working absolute relative root parent configuration variable variables components
component service services interface framework pattern patterns report plan plans review changes change file command line
processing process processes control mode key access user's don't doesn't without hardware device desktop screen button
click image images model's its own itself something anything nothing everything someone cannot could did does doing had
having him me my our ours us why whose whom yourself themselves ever yet further rather quite almost nearly enough several
free paid usage idle engine template template's slot slots ledger caller callers box lantern lamp measured cached
consider follow following followed avoid prefer preferred means meaning mention mentioned purpose reason reasons result
search searches searching reading writing written runs ran called calling calls named naming found finding showing shown
added adding removed changed updated created deleted returned returning given giving taken taking making getting needed
needs wants uses keeps takes gives goes comes looks seems appears becomes remains contains holds begins ends starts stops
`;

/** Names that are written as they are. */
const names = `
JSON HTTP HTTPS API URL GPU CPU RAM SSE SDK CLI UI ID SQL HTML CSS XML YAML README GGUF Node OpenAI Anthropic Claude GPT
Linux Windows macOS Python JavaScript TypeScript React GitHub Git Bash Docker Markdown Unicode Lanthorn English German
French Paris London Germany France America Monday Sunday January OK NOT DO MUST IMPORTANT NEVER ALWAYS TODO
`;

/** Without a leading space: what words are put together from. */
const parts = `
ing ed er ers est ly tion ation ations sion ment ments ness able ible al ial ally ic ical ous ive ity ty ies es en ent ence
ance ant ary ory ish ism ist ful less ship self re un pre dis mis non inter over under sub super trans con com de ex pro st
nd rd th ll ve don doesn isn wasn won didn ch sh tr str qu ck ght ough ound ight ong ung ang ick ack ock uck ell all ill ure
oo ee ea ou ai ei ie ui oa ow ew aw ay oy ar or ir ur an in on un am em im om um at et it ot ut as is os us ad id od ud ate
ated ating ized izing ize ise age ages ine ile ide ake ame ace ice ose use ude ast ist ost ust ach ech ich och per par port
`;

/** Taken as they stand. */
const marks = [
  ...[
    "  ",
    "    ",
    "        ",
    "\n\n",
    "\n  ",
    "\n    ",
    "\n      ",
    "\n        ",
    "\n\n\n",
    "\t\t",
    "   ",
    "     ",
    "       ",
  ],
  ...[
    "..",
    "...",
    "--",
    "---",
    "==",
    "===",
    "!=",
    "=>",
    "->",
    "<=",
    ">=",
    "&&",
    "||",
    "//",
    "/*",
    "*/",
    "://",
    "::",
    "**",
    "##",
  ],
  ...[
    "```",
    "()",
    "();",
    ");",
    "[]",
    "{}",
    "})",
    '":',
    '",',
    '{"',
    '"}',
    '":"',
    '","',
    '"}',
    '":{"',
    "';",
    "',",
    "('",
    '("',
    '")',
  ],
  ...[
    " (",
    " [",
    " {",
    ' "',
    " '",
    " `",
    " -",
    " =",
    " +",
    " *",
    " <",
    " >",
    " /",
    " #",
    " |",
    " &",
    " :",
    "</",
    " //",
    " ==",
    " =>",
  ],
  ...[
    "'s",
    "'t",
    "'re",
    "'ve",
    "'m",
    "'ll",
    "'d",
    ".\n",
    ".\n\n",
    ":\n",
    ":\n\n",
    ",\n",
    "}\n",
    "{\n",
    ";\n",
    "\n-",
    "`,",
    "`.",
  ],
  ...[
    "),",
    ").",
    "):",
    ");\n",
    ")\n",
    " **",
    "**:",
    " |\n",
    "###",
    " (`",
    " `--",
    " --",
    " .",
    " @",
    " $",
    "`;",
    " ]",
    "_",
    " {\n",
    "},\n",
  ],
];

function words(block: string): string[] {
  return block.split(/\s+/).filter((word) => word !== "");
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** Every text that becomes one token, each once, most wanted first. */
export function commonTexts(): string[] {
  const common = words(everywhere);
  const all = [
    ...marks,
    ...common.flatMap((word) => [` ${word}`, word]),
    ...words(inSentences).map((word) => ` ${word}`),
    ...words(parts),
    ...words(names).flatMap((name) => [` ${name}`, name]),
    ...common.slice(0, 70).flatMap((word) => [` ${capitalised(word)}`, capitalised(word)]),
  ];
  return [...new Set(all)];
}
