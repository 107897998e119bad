/**
 * What the parts of a model's name may look like: repository, revision, quantization, file. Pure. Each function gives the end of
 * a sentence that says what is wrong, or null. Stricter than the Hub where its own rules would let a path escape, reach a device
 * or an alternate stream of Windows, or look like another one.
 */

/** More than any name needs: two parts of 96, a revision and a path. */
const nameBytes = 512;
/** The Hub's own bound for owner and name. */
const partLength = 96;
const quantizationLength = 64;
const revisionLength = 100;
/** What most file systems take for one name. */
const segmentBytes = 255;

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Of a whole name, before it is taken apart. */
export function textProblem(text: string): string | null {
  if (text === "") return "it is empty";
  if (Buffer.byteLength(text) > nameBytes) return `it is longer than ${nameBytes} bytes`;
  if (text.includes("\0")) return "it holds a zero byte";
  const control = /[\p{Cc}\p{Zl}\p{Zp}]/u.exec(text);
  if (control !== null) return `it holds a control character (${codePoint(control[0])})`;
  if (text !== text.trim()) return "it begins or ends with a space";
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return "it is an address; a model of the Hub is named owner/name";
  if (text.includes("\\")) return "it holds a backslash";
  if (text.includes("%")) return "it holds a percent sign, and nothing in it is decoded";
  // Fraction slashes, full-width dots, letters of other scripts: none of them is in a name of the Hub, and some pretend.
  const foreign = /[^\x20-\x7e]/u.exec(text);
  if (foreign !== null) return `it holds ${codePoint(foreign[0])}, and names on the Hub are plain ASCII`;
  if (text.startsWith("/")) return "it is an absolute path";
  if (/^[A-Za-z]:(?:\/|$)/.test(text)) return "it is an absolute path";
  if (text.split(/[/@:]/).includes("..")) return "it leads out of its folder";
  return null;
}

const repositoryPart = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?$/;

function partProblem(part: string, what: string): string | null {
  if (part === "") return `its ${what} is empty`;
  if (part.length > partLength) return `its ${what} is longer than ${partLength} characters`;
  if (part.includes("..") || part.includes("--")) return `its ${what} holds ".." or "--"`;
  return repositoryPart.test(part)
    ? null
    : `its ${what} holds something else than letters, digits, "_", "-" and ".", or begins or ends with one of these signs`;
}

export function repositoryProblem(owner: string, name: string): string | null {
  return partProblem(owner, "owner") ?? partProblem(name, "repository");
}

export function revisionProblem(revision: string): string | null {
  if (revision.length > revisionLength) return `its revision is longer than ${revisionLength} characters`;
  const isPlain = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(revision) && !revision.includes("..");
  return isPlain ? null : "its revision is no commit, tag or branch in plain letters";
}

export function quantizationProblem(quantization: string): string | null {
  if (quantization.length > quantizationLength)
    return `its quantization is longer than ${quantizationLength} characters`;
  return /^[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.))*$/.test(quantization) ? null : "its quantization is not like Q4_K_M";
}

/** Names that Windows takes for devices, whatever comes behind a dot. */
const deviceName = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/i;

/** Of one name in a folder. */
export function segmentProblem(segment: string): string | null {
  if (segment === "") return "a part of its path is empty";
  if (segment === "." || segment === "..") return "it leads out of its folder";
  if (Buffer.byteLength(segment) > segmentBytes) return `a part of its path is longer than ${segmentBytes} bytes`;
  if (segment.startsWith(".")) return "a part of its path begins with a dot";
  if (/[. ]$/.test(segment)) return "a part of its path ends with a dot or a space";
  if (deviceName.test(segment)) return "a part of its path is the name of a device";
  const wrong = /[^A-Za-z0-9 ._+()[\]@=,~!{}'-]/u.exec(segment);
  if (wrong !== null) return `its path holds ${codePoint(wrong[0])}`;
  return null;
}

/** Of a GGUF file's path in a repository or a cache, with `/` between folders. */
export function pathProblem(path: string): string | null {
  if (Buffer.byteLength(path) > nameBytes) return `its path is longer than ${nameBytes} bytes`;
  for (const segment of path.split("/")) {
    const problem = segmentProblem(segment);
    if (problem !== null) return problem;
  }
  return /\.gguf$/i.test(path) ? null : "it is no .gguf file";
}
