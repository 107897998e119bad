/** What an order must have before anybody is asked for anything: something that runs there. Pure; for the server and for commands. */
import { Failure } from "../failure.ts";

/** A machine without an image costs money and serves nothing. `rental`: the entry of `rentals:`; null: by hand. Throws `invalid_request`. */
export function needImage(rental: string | null, image: string): void {
  if (image.trim() !== "") return;
  const where = rental === null ? "" : ` as rentals.${rental}.image of lanthorn.yaml`;
  const example = "<registry>/lanthorn:<tag>";
  throw new Failure("invalid_request", "No image is named: the machine would cost money and serve nothing.", {
    param: "image",
    why: `None is published: build one from build/docker/Dockerfile (--target rental), push it where the market can pull it, and name it${where}.`,
    next: [`lanthorn rental rent ${rental ?? "<offer>"} --image ${example}`],
  });
}
