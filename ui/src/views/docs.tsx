// The documentation that came with the gateway: a page, its headings, the other pages, a search over all.

import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useAsked } from "../parts/asked";
import { Markdown } from "../parts/markdown";
import { Page } from "../parts/page";
import { go, path, route } from "../state/route";
import { anchorOf, folderOf, parted, placeOf } from "../text/pages";

interface Named {
  name: string;
  title: string;
}

interface Found extends Named {
  heading: string;
  anchor: string;
  line: string;
}

const FIRST = "README.md";
// No id of the page itself begins like this.
const MARK = "doc-";
const LANGUAGES: Record<string, string> = {
  ru: "русский",
  sv: "svenska",
  vi: "tiếng Việt",
  "zh-CN": "简体中文",
  "zh-TW": "繁體中文",
};
const FOLDERS: Record<string, string> = { connect: "Clients", ...LANGUAGES };

export function DocsView() {
  const [page, anchor] = parted(route.value.of || FIRST);
  const [wanted, want] = useState("");
  const { told: all } = useAsked<{ documents: Named[] }>("docs.list");
  useEffect(() => want(""), [route.value]);
  const tools = all && (
    <>
      <input
        type="search"
        aria-label="Search the documentation"
        placeholder="Search"
        dir="auto"
        value={wanted}
        onInput={(event) => want(event.currentTarget.value)}
      />
      <Pages all={all.documents} page={page} />
    </>
  );
  const words = wanted.trim().slice(0, 200);
  return (
    <Page title="Documentation" tools={tools}>
      {words ? <Search words={words} /> : <Shown key={page} page={page} anchor={anchor} all={all?.documents ?? []} />}
    </Page>
  );
}

function langOf(page: string): string {
  return folderOf(page) in LANGUAGES ? folderOf(page) : "en";
}

function Pages({ all, page }: { all: Named[]; page: string }) {
  const folders = new Map<string, Named[]>();
  for (const each of all) folders.set(folderOf(each.name), [...(folders.get(folderOf(each.name)) ?? []), each]);
  const options = (some: Named[]) =>
    some.map((each) => (
      <option key={each.name} value={each.name} lang={langOf(each.name)}>
        {each.title}
      </option>
    ));
  return (
    <select aria-label="Page" value={page} onChange={(event) => go("docs", event.currentTarget.value)}>
      {[...folders].map(([folder, some]) =>
        folder ? (
          <optgroup key={folder} label={FOLDERS[folder] ?? folder}>
            {options(some)}
          </optgroup>
        ) : (
          options(some)
        ),
      )}
    </select>
  );
}

function Shown({ page, anchor, all }: { page: string; anchor: string; all: Named[] }) {
  const { told, error } = useAsked<{ text: string }>("docs.get", { name: page });
  const root = useRef<HTMLElement>(null);
  const [headings, setHeadings] = useState<{ id: string; text: string }[]>([]);
  const names = all.map((each) => each.name).join("\n");
  const leads = useCallback(
    (link: string) => {
      const place = placeOf(page, link);
      return names.split("\n").includes(parted(place)[0]) ? path("docs", place) : "";
    },
    [page, names],
  );
  useLayoutEffect(() => {
    const made = [...(root.current?.querySelectorAll<HTMLElement>("h1, h2, h3, h4, h5, h6") ?? [])];
    for (const heading of made) {
      heading.id = MARK + anchorOf(heading.textContent);
      heading.tabIndex = -1;
    }
    const below = made.filter((heading) => heading.tagName === "H2");
    setHeadings(below.map((heading) => ({ id: heading.id.slice(MARK.length), text: heading.textContent })));
  }, [told, leads]);
  useEffect(() => {
    if (!told) return;
    const at = anchor ? document.getElementById(MARK + anchor) : null;
    at?.scrollIntoView();
    at?.focus({ preventScroll: true });
  }, [told, leads, anchor]);
  if (error) {
    return (
      <p class="wrong" role="alert">
        There is no such page. <a href={path("docs", FIRST)}>All pages</a>
      </p>
    );
  }
  if (!told || !all.length) return null;
  return (
    <article class="paper" ref={root} lang={langOf(page)}>
      {headings.length > 2 && (
        <details>
          <summary>On this page</summary>
          <nav aria-label="On this page">
            <ul>
              {headings.map((heading) => (
                <li key={heading.id}>
                  <a href={path("docs", `${page}#${heading.id}`)}>{heading.text}</a>
                </li>
              ))}
            </ul>
          </nav>
        </details>
      )}
      <Markdown text={told.text} leads={leads} />
    </article>
  );
}

function Search({ words }: { words: string }) {
  const { told, error } = useAsked<{ found: Found[] }>("docs.search", { query: words });
  if (error) {
    return (
      <p class="wrong" role="alert">
        {error}
      </p>
    );
  }
  if (!told) return null;
  if (!told.found.length) return <p class="faint">No page has that.</p>;
  return (
    <ul class="plain found" aria-label="Found">
      {told.found.map((each) => (
        <li key={`${each.name}#${each.anchor}`}>
          <a href={path("docs", each.anchor ? `${each.name}#${each.anchor}` : each.name)}>
            {each.title}
            {each.anchor && `: ${each.heading}`}
          </a>
          <p class="faint" dir="auto">
            {each.line}
          </p>
        </li>
      ))}
    </ul>
  );
}
