// A list of any length of which only what can be seen is on the page. Nodes are used again, so that nothing
// grows however long the page stays open.

export class List {
  /**
   * `box` scrolls; `made()` gives an empty node, `filled(node, item, index)` fills it. `height` and `width` are
   * the least of one item in pixels; without a width an item takes the whole line.
   */
  constructor(box, { made, filled, role }) {
    this.box = box;
    this.made = made;
    this.filled = filled;
    this.items = [];
    this.inner = document.createElement("div");
    this.inner.className = "inner";
    this.inner.setAttribute("role", role);
    this.nodes = [];
    box.replaceChildren(this.inner);
    box.addEventListener("scroll", () => this.ask(), { passive: true });
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
    const columns = this.width ? Math.max(1, Math.floor(this.box.clientWidth / this.width)) : 1;
    const lines = Math.ceil(this.items.length / columns);
    const first = Math.max(0, Math.floor(this.box.scrollTop / this.height) - 1);
    const last = Math.min(lines, Math.ceil((this.box.scrollTop + this.box.clientHeight) / this.height) + 1);
    const begin = first * columns;
    const shown = this.items.slice(begin, last * columns);
    this.inner.style.height = `${lines * this.height}px`;
    while (this.nodes.length > shown.length) this.nodes.pop().remove();
    while (this.nodes.length < shown.length) {
      const node = this.made();
      this.nodes.push(node);
      this.inner.append(node);
    }
    shown.forEach((item, at) => {
      const node = this.nodes[at];
      const index = begin + at;
      node.style.transform = `translate(${((index % columns) * 100)}%, ${Math.floor(index / columns) * this.height}px)`;
      node.style.width = `${100 / columns}%`;
      node.style.height = `${this.height}px`;
      node.setAttribute("aria-setsize", this.items.length);
      node.setAttribute("aria-posinset", index + 1);
      this.filled(node, item, index);
    });
    this.seen = shown;
  }
}
