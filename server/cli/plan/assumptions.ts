/** What a plan was counted with, one line each, with how it is known. Pure. */
import { type SettingName, settingKinds, settingNames, type Settings } from "../../domain/planner/settings.ts";
import { type Column, tableText } from "../table.ts";

interface Line {
  readonly name: SettingName;
  readonly value: string;
  readonly basis: string;
  readonly from: string;
}

const columns: readonly Column<Line>[] = [
  { title: "COUNTED WITH", of: ({ name }) => settingKinds[name].means },
  { title: "VALUE", of: ({ value }) => value, align: "right" },
  { title: "HOW KNOWN", of: ({ basis }) => basis },
  { title: "FROM", of: ({ from }) => from },
];

/** Of the named settings only; what counts nothing is left out. */
export function assumptionsText(settings: Settings, names: readonly SettingName[] = settingNames): string {
  const lines = names.flatMap((name): Line[] => {
    const figure = settings[name];
    if (figure === null) return [];
    const { unit } = settingKinds[name];
    return [{ name, value: `${figure.value} ${unit}`, basis: figure.basis, from: figure.from }];
  });
  return tableText(columns, lines);
}
