/** Names of GPUs, which every market spells in its own way. Pure. */

/** `NVIDIA GeForce RTX 4090`, `rtx4090`, `RTX_4090` → `rtx4090`: how two spellings of a GPU are compared. */
export function gpuKey(name: string): string {
  return name
    .toLowerCase()
    .replace(/nvidia|geforce|amd|radeon|tesla|quadro/g, "")
    .replace(/[^a-z0-9]/g, "");
}

/** As people call it, without the maker. */
export function gpuTitle(name: string): string {
  return name
    .replace(/^(nvidia\s+)?(geforce\s+)?/i, "")
    .replaceAll("_", " ")
    .replace(/^([rg]tx)\s*(?=\d)/i, (prefix) => `${prefix.trim().toUpperCase()} `)
    .trim();
}
