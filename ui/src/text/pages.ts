// Names, links and headings of the documentation's pages. Pure.

/** "connect/README.md#coding-clients" is the page and what one of its headings is linked by. */
export function parted(place: string): [page: string, anchor: string] {
  const [page = "", anchor = ""] = place.split("#", 2);
  return [page, anchor];
}

/** The place that a link in `page` means; "" when it leads out of the documentation. */
export function placeOf(page: string, link: string): string {
  if (/^[a-z][a-z0-9+.-]*:|^\//i.test(link)) return "";
  const [to, anchor] = parted(link);
  const steps = to ? page.split("/").slice(0, -1) : page.split("/");
  for (const step of to.split("/")) {
    if (step === "..") {
      if (!steps.length) return "";
      steps.pop();
    } else if (step && step !== ".") steps.push(step);
  }
  return steps.join("/") + (anchor ? `#${anchor}` : "");
}

export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_\- ]/gu, "")
    .replaceAll(" ", "-");
}

/** What a page's folder is called, where several pages are listed together. */
export function folderOf(page: string): string {
  const at = page.lastIndexOf("/");
  return at < 0 ? "" : page.slice(0, at);
}
