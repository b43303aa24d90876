// Names in code may break behind `_`, `::` and the like, long ones also between words in CamelCase, and nowhere else.

const MARKS = /(?<=[_/.:,;=&?#)\]}>])(?![_/.:,;=&?#)\]}>]|$)/;
const WORDS = new RegExp(`${MARKS.source}|(?<=[a-z])(?=[A-Z][a-z])`);

for (const code of document.querySelectorAll(".content :not(pre) > code")) {
    for (const text of [...code.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE)) {
        const parts = text.data.split(text.data.length > 28 ? WORDS : MARKS);
        text.replaceWith(...parts.flatMap((part, at) => (at ? [document.createElement("wbr"), part] : [part])));
    }
}

// On a narrow screen, the rows of a table with more than two columns, with much text, or of one that does not fit, are
// cards: the cells below each other, with the names of their columns. Without this script the table scrolls in itself.

const narrow = matchMedia("(max-width: 620px)");

function nameCells(table) {
    const names = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
    for (const row of table.querySelectorAll("tbody tr")) {
        [...row.cells].slice(1).forEach((cell, at) => {
            if (names[at + 1]) cell.dataset.column = names[at + 1];
        });
    }
}

function fits(wrapper) {
    const isShort = (row) => row.textContent.length < 150;
    return (
        wrapper.scrollWidth <= wrapper.clientWidth &&
        !wrapper.querySelector("th:nth-child(3)") &&
        [...wrapper.querySelectorAll("tr")].every(isShort)
    );
}

function arrange() {
    for (const wrapper of document.querySelectorAll(".table-wrapper")) {
        wrapper.classList.remove("cards");
        wrapper.classList.toggle("cards", narrow.matches && !fits(wrapper));
    }
}

document.querySelectorAll(".table-wrapper table").forEach(nameCells);
addEventListener("resize", arrange);
arrange();
