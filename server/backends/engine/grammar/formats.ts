/**
 * What the formats of JSON schema look like, as regular expressions over the whole text. Pure data. Each is at most as wide
 * as the format itself: a validator that knows the format accepts every text that is described here.
 */

const leapYear = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][48]|[2468]0|[13579][26])00)";
const date = `(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))|${leapYear}-02-29)`;
const clock = "(?:[01][0-9]|2[0-3]):[0-5][0-9]";
const time = `${clock}:[0-5][0-9](?:\\.[0-9]{1,9})?(?:Z|[+-]${clock})`;
const label = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
/** Where no format counts its letters. */
const word = "[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*";
const hostname = `${label}(?:\\.${label}){0,3}`;
const octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const ipv4 = `${octet}(?:\\.${octet}){3}`;
const hex4 = "[0-9A-Fa-f]{1,4}";
const ipv6 = [
  `(?:${hex4}:){7}${hex4}`,
  ...[1, 2, 3, 4, 5, 6].map((before) => `(?:${hex4}:){${before}}(?::${hex4}){1,${7 - before}}`),
  `(?:${hex4}:){1,7}:`,
  `:(?::${hex4}){1,7}`,
  "::",
].join("|");
const mailWord = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,30}";
const email = `${mailWord}(?:\\.${mailWord})?@(?:${word}\\.)+[A-Za-z]{2,24}`;
const escaped = "%[0-9A-Fa-f]{2}";
const pathCharacter = `(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|${escaped})`;
const path = `(?:/${pathCharacter}*)*`;
const query = `(?:\\?(?:${pathCharacter}|[/?])*)?`;
const fragment = `(?:#(?:${pathCharacter}|[/?])*)?`;
const webHost = `${word}(?:\\.${word})*`;
const uri = `[A-Za-z][A-Za-z0-9+.-]{0,15}://${webHost}(?::[0-9]{1,5})?${path}${query}${fragment}`;
const uuid = "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}";
const count = "[0-9]{1,6}";
const durationTime = `T(?:${count}H(?:${count}M)?(?:${count}S)?|${count}M(?:${count}S)?|${count}S)`;
const durationDate = `(?:${count}Y(?:${count}M)?(?:${count}D)?|${count}M(?:${count}D)?|${count}D)`;
const duration = `P(?:${durationDate}(?:${durationTime})?|${durationTime}|${count}W)`;
const pointer = "(?:/(?:[^~/]|~[01])*)*";

export const stringFormats: ReadonlyMap<string, string> = new Map([
  ["date", date],
  ["time", time],
  ["date-time", `${date}T${time}`],
  ["iso-time", time],
  ["iso-date-time", `${date}T${time}`],
  ["duration", duration],
  ["email", email],
  ["idn-email", email],
  ["hostname", hostname],
  ["idn-hostname", hostname],
  ["ipv4", ipv4],
  ["ipv6", ipv6],
  ["uri", uri],
  ["url", uri],
  ["iri", uri],
  ["uri-reference", `${uri}|/${pathCharacter}*${path}${query}${fragment}`],
  ["iri-reference", `${uri}|/${pathCharacter}*${path}${query}${fragment}`],
  ["uuid", uuid],
  ["json-pointer", pointer],
  ["json-pointer-uri-fragment", `#(?:/${pathCharacter.replace("~", "")}*)*`],
  ["byte", "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"],
]);

/** Formats that allow every text, or say how a client shows it. */
export const freeFormats: ReadonlySet<string> = new Set(["password", "binary", "float", "double", "int64"]);

/** The range of the one number format that has one. */
export const int32 = Object.freeze({ low: -(2 ** 31), high: 2 ** 31 - 1 });
