// Keeps a file that the kernel sends, as the browser keeps any download; one view of the form does it, not each.
function initialize({ model }) {
  model.on("msg:custom", (message, buffers) => {
    const url = URL.createObjectURL(new Blob([buffers[0]]));
    const link = document.createElement("a");
    link.href = url;
    link.download = message.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  });
}

function render() {}

export default { initialize, render };
