// A file goes to the kernel in slices, each when the kernel asks for it: as messages, so no notebook saves it.
const SLICE = 1 << 20;
let count = 0;

function render({ model, el }) {
  const id = `t1-upload-${++count}`;
  const box = document.createElement("div");
  box.className = "t1-file";
  const label = document.createElement("label");
  label.htmlFor = id;
  label.textContent = model.get("label");
  const input = document.createElement("input");
  input.type = "file";
  input.id = id;
  const said = document.createElement("span");
  box.append(label, input, said);
  el.append(box);

  let file = null;
  input.addEventListener("change", () => {
    file = input.files[0] || null;
    if (file) {
      said.textContent = "sending …";
      model.send({ type: "begin", name: file.name, size: file.size });
    }
  });
  async function answer(message) {
    if (!file) return; // another view of the same form is sending
    if (message.type === "next") {
      const slice = await file.slice(message.offset, message.offset + SLICE).arrayBuffer();
      said.textContent = `${Math.floor((100 * message.offset) / file.size)} %`;
      model.send({ type: "slice", offset: message.offset }, undefined, [slice]);
    } else {
      said.textContent = message.type === "taken" ? "" : "not taken";
      file = null;
      input.value = "";
    }
  }
  model.on("msg:custom", answer);
  return () => model.off("msg:custom", answer);
}

export default { render };
