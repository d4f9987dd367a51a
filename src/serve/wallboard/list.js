// A list of any length of which only what can be seen is on the page. Nodes are used again, so that nothing
// grows however long the page stays open. A node stays with its item as long as both are shown, and the item that
// has the focus is always among them: neither scrolling nor a new order gives the focus to another item.

export class List {
  /**
   * `box` scrolls; `made()` gives an empty node, `filled(node, item, index)` fills it, `key(item, index)` names an
   * item apart from all others. What takes the focus is the link in a node, else the node. `height` and `width` are
   * the least of one item in pixels; without a width an item takes the whole line.
   */
  constructor(box, { made, filled, key, role }) {
    this.box = box;
    this.made = made;
    this.filled = filled;
    this.key = key;
    this.items = [];
    this.columns = 1;
    this.inner = document.createElement("div");
    this.inner.className = "inner";
    this.inner.setAttribute("role", role);
    /** What is on the page, by key. */
    this.nodes = new Map();
    box.replaceChildren(this.inner);
    box.addEventListener("scroll", () => this.ask(), { passive: true });
    // At once: whoever goes on with Tab needs the next item there.
    box.addEventListener("focusin", () => this.draw());
    box.addEventListener("keydown", (event) => this.pressed(event));
    new ResizeObserver(() => this.ask()).observe(box);
  }

  /** Sizes of one item; anew when the view changes. */
  shape({ height, width }) {
    this.height = height;
    this.width = width;
    this.ask();
  }

  show(items) {
    this.items = items;
    this.ask();
  }

  /** Draws once in the next frame, however often it is asked. */
  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.draw();
    });
  }

  draw() {
    if (!this.height) return;
    this.columns = this.width ? Math.max(1, Math.floor(this.box.clientWidth / this.width)) : 1;
    this.inner.style.height = `${Math.ceil(this.items.length / this.columns) * this.height}px`;
    const held = this.held();
    const shown = this.wanted(held?.index).map((index) => ({ index, key: this.key(this.items[index], index) }));
    this.give(shown);
    for (const { index, key } of shown) this.place(this.nodes.get(key), index);
    this.arrange(shown.map(({ key }) => this.nodes.get(key)), held?.index === null ? null : held?.node);
    // Its item is gone: whoever was there stays at the place.
    if (held?.index === null) this.go(held.was);
  }

  /** The node that has the focus, where its item was and where it is now, null if it is gone. */
  held() {
    const found = [...this.nodes].find(([, node]) => node.contains(document.activeElement));
    if (!found) return null;
    const [key, node] = found;
    const was = node.index;
    const is = (item, index) => this.key(item, index) === key;
    const index = was < this.items.length && is(this.items[was], was) ? was : this.items.findIndex(is);
    return { node, was, index: index < 0 ? null : index };
  }

  /** What can be seen and a line more on each side; the item that has the focus, and its neighbours for Tab. */
  wanted(held) {
    const first = Math.max(0, Math.floor(this.box.scrollTop / this.height) - 1) * this.columns;
    const last = (Math.ceil((this.box.scrollTop + this.box.clientHeight) / this.height) + 1) * this.columns;
    const indices = new Set();
    for (let index = first; index < Math.min(last, this.items.length); index += 1) indices.add(index);
    const near = held === undefined || held === null ? [] : [held - 1, held, held + 1];
    for (const index of near) if (index >= 0 && index < this.items.length) indices.add(index);
    return [...indices].sort((a, b) => a - b);
  }

  /** A node for each key: its own, else one that is no longer needed, else a new one. */
  give(shown) {
    const keys = new Set(shown.map(({ key }) => key));
    const free = [];
    for (const [key, node] of this.nodes) {
      if (keys.has(key)) continue;
      this.nodes.delete(key);
      node.remove();
      free.push(node);
    }
    for (const key of keys) if (!this.nodes.has(key)) this.nodes.set(key, free.pop() ?? this.made());
  }

  place(node, index) {
    const { columns, height } = this;
    node.index = index;
    node.style.transform = `translate(${(index % columns) * 100}%, ${Math.floor(index / columns) * height}px)`;
    node.style.width = `${100 / columns}%`;
    node.style.height = `${height}px`;
    node.setAttribute("aria-setsize", this.items.length);
    node.setAttribute("aria-posinset", index + 1);
    this.filled(node, this.items[index], index);
  }

  /** Puts the nodes in the order shown, which is Tab's. The one that has the focus is not moved: it would lose it. */
  arrange(nodes, held) {
    const at = held ? nodes.indexOf(held) : nodes.length;
    for (let i = at - 1; i >= 0; i -= 1) {
      const next = nodes[i + 1] ?? null;
      if (nodes[i].parentNode !== this.inner || nodes[i].nextSibling !== next) this.inner.insertBefore(nodes[i], next);
    }
    for (let i = at + 1; i < nodes.length; i += 1) {
      if (nodes[i].previousSibling !== nodes[i - 1]) nodes[i - 1].after(nodes[i]);
    }
  }

  /** Up and down, a page, to the first and the last; from the box itself to what can be seen. */
  pressed(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || this.items.length === 0) return;
    const last = this.items.length - 1;
    const top = Math.min(last, Math.ceil(this.box.scrollTop / this.height) * this.columns);
    const at = this.held()?.index ?? null;
    const page = Math.max(1, Math.floor(this.box.clientHeight / this.height)) * this.columns;
    const from = (step) => (at === null ? top : at + step);
    const to = {
      ArrowDown: from(1), ArrowUp: from(-1), PageDown: (at ?? top) + page, PageUp: (at ?? top) - page, Home: 0, End: last,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.go(Math.max(0, Math.min(last, to)));
  }

  /** Gives an item the focus and scrolls as far as needed; the box has it where there is no item. */
  go(index) {
    const at = Math.min(index, this.items.length - 1);
    if (at < 0) return this.box.focus({ preventScroll: true });
    const from = Math.floor(at / this.columns) * this.height;
    const { scrollTop, clientHeight } = this.box;
    if (from < scrollTop) this.box.scrollTop = from;
    else if (from + this.height > scrollTop + clientHeight) this.box.scrollTop = from + this.height - clientHeight;
    this.draw();
    const node = this.nodes.get(this.key(this.items[at], at));
    return (node?.querySelector("a") ?? node)?.focus({ preventScroll: true });
  }
}
