// Markdown as DOM nodes, made piece by piece while it is being said.
//
// Text becomes text nodes and nothing else: no HTML is ever parsed. A link leads to http, https or mailto, an
// image is one that the message itself holds; of any other address only the text is shown.
//
// Two kinds of text come here: what is said in a conversation, where a line ends where its writer ended it, and
// pages of the documentation, which are wrapped and lead to each other.

import {
  attr_to_html_attr,
  default_add_token,
  parser,
  parser_end,
  parser_write,
  Attr,
  Token,
  type Default_Renderer_Data,
  type Parser,
} from "streaming-markdown";

const LINK = /^(https?:\/\/|mailto:)/i;
const PLAIN = /^[\p{L}\p{N} .,;:!?]+$/u;
const IMAGE = /^(data:image\/(png|jpeg|gif|webp|avif);base64,|blob:)/i;

/** What is otherwise in a page than in something said: where an address leads within this page, "" = nowhere. */
export type Leads = (address: string) => string;

interface Made extends Default_Renderer_Data {
  leads: Leads | undefined;
}

export class Page {
  private readonly data: Made;
  private readonly parser: Parser;
  private readonly last = document.createTextNode("");
  private text = "";

  constructor(root: HTMLElement, leads?: Leads) {
    this.data = { nodes: [root], index: 0, leads } as unknown as Made;
    this.parser = parser({ data: this.data, add_token, end_token, add_text, set_attr });
  }

  /** What is there goes on as `text`. False: it does not, a new page is needed. */
  goOn(text: string): boolean {
    if (!text.startsWith(this.text)) return false;
    this.last.remove();
    if (text.length > this.text.length) parser_write(this.parser, text.slice(this.text.length));
    this.text = text;
    // The parser keeps back what may become a mark; the end of a word is shown meanwhile.
    const { pending } = this.parser;
    if (PLAIN.test(pending)) {
      this.last.data = pending;
      this.data.nodes[this.data.index]?.append(this.last);
    }
    return true;
  }

  end(): void {
    this.last.remove();
    parser_end(this.parser);
  }
}

function add_token(data: Made, type: Token): void {
  if (type === Token.Line_Break && data.leads) {
    data.nodes[data.index]?.append(" ");
    data.index += 1; // `end_token` follows at once
    return;
  }
  default_add_token(data, type);
  const made = data.nodes[data.index];
  if (!made) return;
  if (type === Token.Code_Fence || type === Token.Code_Block) framed(made);
  if (type === Token.Table) scrolled(made);
  if (type === Token.Checkbox) made.setAttribute("aria-label", "Task");
  made.dir = type === Token.Code_Inline ? "ltr" : BLOCKS.has(type) ? "auto" : "";
  if (!made.dir) made.removeAttribute("dir");
}

const BLOCKS = new Set<Token>([
  Token.Paragraph,
  Token.Heading_1,
  Token.Heading_2,
  Token.Heading_3,
  Token.Heading_4,
  Token.Heading_5,
  Token.Heading_6,
  Token.Blockquote,
  Token.List_Item,
  Token.List_Unordered,
  Token.List_Ordered,
  Token.Table_Cell,
]);

function end_token(data: Made): void {
  data.index -= 1;
}

function add_text(data: Made, text: string): void {
  data.nodes[data.index]?.append(text);
}

function set_attr(data: Made, type: Attr, value: string): void {
  const node = data.nodes[data.index];
  if (!node) return;
  if (type === Attr.Lang) {
    node.parentElement?.setAttribute("data-language", value.slice(0, 32));
    return;
  }
  if (type === Attr.Href) {
    const within = data.leads?.(value);
    if (within) {
      node.setAttribute("href", within);
      return;
    }
    if (!LINK.test(value)) return;
    node.setAttribute("rel", "noopener noreferrer nofollow");
    node.setAttribute("target", "_blank");
  }
  if (type === Attr.Src && !IMAGE.test(value)) {
    // Nothing is fetched from elsewhere: the address stands there to be followed by whoever wants to. A page's
    // own pictures did not come with it: what they show is said.
    const named = document.createElement(data.leads ? "em" : "a");
    named.textContent = data.leads ? node.textContent : value;
    set_link(named, value);
    node.replaceWith(named);
    data.nodes[data.index] = named;
    return;
  }
  node.setAttribute(attr_to_html_attr(type), value);
}

function set_link(node: HTMLElement, value: string): void {
  if (!LINK.test(value)) return;
  node.setAttribute("href", value);
  node.setAttribute("rel", "noopener noreferrer nofollow");
  node.setAttribute("target", "_blank");
}

/** A block of code is scrolled by keyboard too, and copied by a button that chat.tsx listens to. */
function framed(code: HTMLElement): void {
  const block = code.parentElement;
  if (!block) return;
  block.tabIndex = 0;
  block.dir = "ltr";
  block.setAttribute("role", "group");
  block.setAttribute("aria-label", "Code");
  const copy = document.createElement("button");
  copy.type = "button";
  copy.className = "copy-code";
  copy.textContent = "Copy";
  const frame = document.createElement("div");
  frame.className = "code";
  block.replaceWith(frame);
  frame.append(copy, block);
}

function scrolled(table: HTMLElement): void {
  const frame = document.createElement("div");
  frame.className = "wide";
  frame.tabIndex = 0;
  frame.setAttribute("role", "group");
  frame.setAttribute("aria-label", "Table");
  table.replaceWith(frame);
  frame.append(table);
}
