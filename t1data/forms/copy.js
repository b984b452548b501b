// Code, and a button that copies it.
function render({ model, el }) {
  const code = document.createElement("pre");
  code.className = "t1-code";
  code.tabIndex = 0;
  code.setAttribute("role", "group");
  code.setAttribute("aria-label", model.get("label"));
  const button = document.createElement("button");
  button.className = "jupyter-button";
  button.textContent = `Copy ${model.get("label")}`;
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  said.className = "t1-note";
  const show = () => {
    code.textContent = model.get("text");
    said.textContent = "";
  };
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(model.get("text"));
      said.textContent = " copied";
    } catch {
      getSelection().selectAllChildren(code); // no clipboard without https: the person presses Ctrl-C
      said.textContent = " marked: press Ctrl-C";
    }
  });
  el.append(code, button, said);
  model.on("change:text", show);
  show();
  return () => model.off("change:text", show);
}

export default { render };
