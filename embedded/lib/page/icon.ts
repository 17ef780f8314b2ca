/** Icon of the page: a nearly full ring, like a lease that was just renewed. */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<circle cx="16" cy="16" r="12" fill="none" stroke="#8aa39b" stroke-opacity=".4" stroke-width="5"/>
<path d="M16 4a12 12 0 1 1-11.4 8.3" fill="none" stroke="#1f8a6b" stroke-width="5" stroke-linecap="round"/>
</svg>
`;
