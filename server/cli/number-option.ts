/** Numbers as options of commands take them. Pure; throws what commander shows. */
import { InvalidArgumentError } from "commander";

/** 0 to 1. */
export function share(text: string): number {
  const number = Number(text);
  if (text.trim() === "" || !(number >= 0 && number <= 1)) throw new InvalidArgumentError("A number from 0 to 1.");
  return number;
}

/** More than 0, and at most a day. */
export function seconds(text: string): number {
  const number = Number(text);
  if (text.trim() === "" || !(number > 0 && number <= 86_400)) throw new InvalidArgumentError("Seconds, up to a day.");
  return number;
}
