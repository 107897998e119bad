/** The judge of `models recommend`: does this model fit into this machine? Runs in the command's process. */
import type { Fit } from "../../../models/catalog/recommend.ts";
import { sizeVerdict } from "../../../models/catalog/size-verdict.ts";

export const fit: Fit = (shape, machine, wishes) => sizeVerdict(shape.weightBytes, machine, wishes);
