/**
 * Words that the constructed models' tokenizers know as one token, most wanted first. Plain data, made for this project.
 * Which words they are changes only how many tokens a prompt has: English prose and an agent's prompt come to three or
 * four characters per token.
 */

/** Known with and without a leading space. */
const everyday = `
the of and to in a is that for it you this with be on as are not or by from at have if an will can your we all but they has
was which when use one their there do any what so about only other more may no should must into them would also than its
then out up time new some these how each where who get been make see like after his her she he had were our need file files
user users code name value type data line lines list text test tests tool tools call calls function functions return
returns error errors string number true false null object array model models message messages content system assistant
command commands output input path folder directory run running read write edit create delete change changes add remove
set find search show start stop open close first last next before between without within through over under same every
such own most many much very just now here again always never both while because however therefore using used work works
working available information request requests response result results following specific example examples provide
provided include includes including contain contains given based note important ensure check make sure possible required
require requires default option options optional parameter parameters argument arguments property properties description
schema json format current project task tasks step steps plan question questions answer answers help way want well good
best better different large small long short high low full empty single multiple several another part parts point end
place case cases problem problems issue issues solution explain describe understand know think look take give keep let
put try ask tell say said says come go back down off still even too two three four five six seven eight nine ten people
world year years day days week month man woman life hand school state company country group place government business
language English version server client process program software computer memory token tokens context window limit key
keys page link url web site http https www com org api app apps package packages module modules class classes method
methods variable variables constant field fields table column row rows index item items element elements node nodes event
events action actions state states status active session history report update updates version release build install
configuration config setting settings environment feature features bug fix fixed patch commit branch merge git repository
source library framework interface component components service services database query queries record records access
permission security safe private public local remote network host port address connection timeout retry log logs debug
information details summary document documents documentation comment comments section sections title body header heading
style rules rule guidelines instructions instruction prompt conversation respond response reply output write concise
direct simple clear complete correct proper exactly carefully directly quickly immediately automatically currently already
often usually sometimes rather quite instead especially particularly generally specifically either neither whether though
although until unless since during against among across along around near above below behind inside outside upon per via
more less least fewer greater equal greater than left right top bottom side front center middle main original previous
second third final initial total common general special main actual real valid invalid existing missing known unknown
related relevant necessary useful helpful able likely unlikely ready done finished pass passed fail failed failure success
successful successfully happens happen cause caused allow allows allowed prevent avoid handle handles handling support
supports supported manage load loaded save saved store stored send sent receive received print display match matches
matching replace replaced select selected insert append join split sort filter map reduce loop iterate parse parsing
convert generate generated compile execute executed executing invoke invoked apply applied define defined declare
implement implemented implementation import export extend inherit override async await promise callback thread lock queue
stack heap tree graph hash cache buffer stream bytes byte char character characters integer float double boolean date
size length width height count max min sum average random range begin level depth order priority weight score rate cost
price money budget hour minute minutes seconds today tomorrow yesterday morning night hello hi thanks thank please yes
okay sorry welcome write story poem about love water house home food city town river weather Paris France London Germany
capital book music film movie game car train road sun moon star light dark color colour red green blue black white
animal dog cat bird tree flower mother father friend child children family doctor teacher student science history math
physics energy power machine learning training network weights bench box lantern lamp office team agent agents shell bash
python javascript typescript node npm html css sql yaml xml markdown regex pattern unicode encoding decode encode binary
image images video audio color screen button click mouse keyboard desktop mobile phone device devices hardware driver
graphics processor core cores disk drive cloud storage backup restore archive compress extract download upload copy move
rename relative absolute root parent current working glob grep ls cat cd mkdir rm sudo exit quit cancel abort confirm
`;

/** Known without a leading space: word parts and what code is made of. */
const parts = `
ing ed er ers est ly tion ation sion ment ness able ible al ial ic ical ous ive ity ty ies es en ent ence ance ant ary ory
ish ism ist ful less ship hood ward wise self re un pre dis mis non inter over under sub super trans con com de ex pro
st nd rd th ll ve don doesn isn wasn won didn ch sh tr str qu ck ght ough ound ight ong ung ang ick ack ock uck ell all ill
oo ee ea ou ai ei ie ui oa ow ew aw ay oy ar or ir ur an in on un am em im om um at et it ot ut as is os us ad id od ud
`;

/** Taken as they stand. */
const marks = [
  ...["  ", "    ", "        ", "\n\n", "\n  ", "\n    ", "\n      ", "\n        ", "\n\n\n", "\t\t"],
  ...["..", "...", "--", "---", "==", "===", "!=", "=>", "->", "<=", ">=", "&&", "||", "//", "/*", "*/", "://", "::", "**", "##"],
  ...["```", "()", "();", ");", "[]", "{}", "})", '":', '",', '{"', '"}', '":"', '","', '"}', '":{"', "';", "',", "('", '("', '")'],
  ...[" (", " [", " {", ' "', " '", " `", " -", " =", " +", " *", " <", " >", " /", " #", " |", " &", " :", "</", " //", " ==", " =>"],
  ...["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", ".\n", ".\n\n", ":\n", ":\n\n", ",\n", "}\n", "{\n", ";\n", "\n-", "`,", "`."],
];

function words(block: string): string[] {
  return block.split(/\s+/).filter((word) => word !== "");
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** Every text that becomes one token, each once, most wanted first. */
export function commonTexts(): string[] {
  const known = words(everyday);
  const openers = known.slice(0, 160).flatMap((word) => [` ${capitalised(word)}`, capitalised(word)]);
  const all = [...marks, ...known.flatMap((word) => [` ${word}`, word]), ...words(parts), ...openers];
  return [...new Set(all)];
}
