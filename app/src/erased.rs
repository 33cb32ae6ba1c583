//! Views without their types.
//!
//! [`AnyView`] carries, for each view it is made of, the code that hydrates it step by step between awaits, and the code
//! that updates it in place. No view of this app awaits anything, and a view that changes its kind is drawn anew: leaving
//! both out saves a quarter of the WebAssembly.

use leptos::{
    attr::{Attribute, any_attribute::AnyAttribute},
    prelude::*,
    tachys::{
        hydration::Cursor,
        ssr::StreamBuilder,
        view::{Mountable, Position, PositionState, add_attr::AddAnyAttr},
    },
};

/// `view` without its type. Where another view of the same kind takes its place, it is replaced rather than updated.
pub(crate) fn erased(view: impl IntoView + 'static) -> AnyView {
    Erased(view).into_any()
}

struct Erased<V>(V);

impl<V: Render> Render for Erased<V> {
    type State = V::State;

    fn build(self) -> Self::State {
        self.0.build()
    }

    fn rebuild(self, state: &mut Self::State) {
        let mut new = self.0.build();
        state.insert_before_this(&mut new);
        state.unmount();
        *state = new;
    }
}

impl<V: RenderHtml> RenderHtml for Erased<V> {
    type AsyncOutput = Self;
    type Owned = Erased<V::Owned>;

    const MIN_LENGTH: usize = V::MIN_LENGTH;
    const EXISTS: bool = V::EXISTS;

    fn dry_resolve(&mut self) {
        self.0.dry_resolve();
    }

    async fn resolve(self) -> Self::AsyncOutput {
        self
    }

    fn html_len(&self) -> usize {
        self.0.html_len()
    }

    fn to_html_with_buf(
        self,
        buf: &mut String,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        extra_attrs: Vec<AnyAttribute>,
    ) {
        self.0.to_html_with_buf(buf, position, escape, mark_branches, extra_attrs);
    }

    fn to_html_async_with_buf<const OUT_OF_ORDER: bool>(
        self,
        buf: &mut StreamBuilder,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        extra_attrs: Vec<AnyAttribute>,
    ) {
        self.0.to_html_async_with_buf::<OUT_OF_ORDER>(buf, position, escape, mark_branches, extra_attrs);
    }

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> Self::State {
        self.0.hydrate::<FROM_SERVER>(cursor, position)
    }

    fn into_owned(self) -> Self::Owned {
        Erased(self.0.into_owned())
    }
}

impl<V: AddAnyAttr> AddAnyAttr for Erased<V> {
    type Output<SomeNewAttr: Attribute> = Erased<V::Output<SomeNewAttr>>;

    fn add_any_attr<NewAttr: Attribute>(self, attr: NewAttr) -> Self::Output<NewAttr>
    where
        Self::Output<NewAttr>: RenderHtml,
    {
        Erased(self.0.add_any_attr(attr))
    }
}
