/** Can the settings be read as they are? */
import { existsSync } from "node:fs";
import { loadConfig } from "../../config/load.ts";
import { asCommandFailure } from "../errors.ts";
import { plural } from "../format.ts";
import { type Check, fail, note, ok } from "./check.ts";

export const configCheck: Check = {
  title: "Config",
  look: ({ paths, environment, workingFolder }) => {
    try {
      const { origins, warnings } = loadConfig({ file: paths.config, environment, flags: [], workingFolder });
      const [warning] = warnings;
      if (warning !== undefined) return note(warning, "lanthorn config show");
      const own = Object.values(origins).filter((origin) => origin !== "default").length;
      const where = existsSync(paths.config) ? paths.config : "no file";
      return ok(`${where}, ${plural(own, "setting")} not at the default`);
    } catch (thrown) {
      const { message, why } = asCommandFailure(thrown);
      return fail(why === "" ? message : `${message} ${why}`, `edit ${paths.config}`);
    }
  },
};
