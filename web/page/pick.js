// The ways in which a picture gets into the page: chosen, photographed, dropped, pasted.

const $ = id => document.getElementById(id);

// onPick calls take with each file, and complain with words where there is none.
export function onPick(take, complain) {
  for (const button of document.querySelectorAll('[data-pick]')) {
    button.addEventListener('click', () => $(button.dataset.pick).click());
  }
  for (const input of [$('file'), $('camera')]) {
    input.addEventListener('change', () => {
      const [file] = input.files;
      input.value = ''; // or choosing the same file again would be no change
      if (file) take(file);
    });
  }

  // Anywhere on the page: a drop beside the target would leave the page.
  addEventListener('dragover', event => {
    event.preventDefault();
    document.body.classList.add('dragging');
  });
  addEventListener('dragleave', event => {
    if (!event.relatedTarget) document.body.classList.remove('dragging'); // left the window
  });
  addEventListener('drop', event => {
    event.preventDefault();
    document.body.classList.remove('dragging');
    const [file] = event.dataTransfer.files;
    if (file) take(file);
    else complain('That was not a file. Save the picture first, then drop the file.');
  });
  addEventListener('paste', event => {
    const file = [...event.clipboardData.files].find(f => f.type.startsWith('image/'));
    if (file) take(file);
    else complain('There is no picture on the clipboard.');
  });
}
