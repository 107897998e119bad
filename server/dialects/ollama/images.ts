/** Images as Ollama's clients send them: base64 without a word about their kind, which their first bytes tell. Pure. */
import type { ImagePart } from "../../domain/chat.ts";
import { badField } from "../field-failure.ts";

/** How each kind begins, in base64. */
const beginnings: readonly (readonly [beginning: string, mediaType: string])[] = [
  ["iVBORw0KGgo", "image/png"],
  ["/9j/", "image/jpeg"],
  ["R0lGOD", "image/gif"],
  ["UklGR", "image/webp"],
];

/** Throws Failure `invalid_request` that names the entry. */
export function imagesOf(images: readonly string[] | null | undefined, param: string): readonly ImagePart[] {
  return (images ?? []).map((image, index) => imageOf(image, `${param}[${index}]`));
}

function imageOf(image: string, param: string): ImagePart {
  // Some clients send a whole data URL.
  const data = image.replace(/^data:[\w/+.-]{1,100};base64,/, "");
  const kind = beginnings.find(([beginning]) => data.startsWith(beginning));
  if (kind === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(data)) {
    throw badField(param, `'${param}' must be a PNG, JPEG, GIF or WebP image in base64.`);
  }
  return { type: "image", source: { kind: "base64", mediaType: kind[1], data } };
}
